// NewSessionTicket, read and checked only: a client that does not resume ignores it (RFC 9846 §4.7.1).

import { Alert, alert, protocolViolation } from '../alerts.ts'
import { ExtensionSite, ExtensionType, readExtensions } from '../extensions/registry.ts'
import { finish, open, vector16, vector8 } from './block.ts'

export interface NewSessionTicket {
  /** Seconds. */
  readonly lifetime: number
  readonly ageAdd: number
  readonly nonce: Uint8Array
  readonly ticket: Uint8Array
  readonly earlyData: boolean
}

export function decodeNewSessionTicket(body: Uint8Array): NewSessionTicket {
  const reader = open(body)
  const lifetime = reader.u32()
  const ageAdd = reader.u32()
  const nonce = vector8(reader)
  const ticket = vector16(reader)
  const extensions = readExtensions(reader, ExtensionSite.newSessionTicket, [], 'NewSessionTicket')
  finish(reader, 'NewSessionTicket')
  if (ticket.length === 0) throw alert(Alert.decodeError, 'a session ticket is empty')
  const earlyData = extensions.get(ExtensionType.earlyData)
  if (earlyData !== null) {
    const size = open(earlyData)
    const maximum = size.u32()
    finish(size, 'early_data')
    // RFC 9001 §4.6.1: any other value is a PROTOCOL_VIOLATION.
    if (maximum !== 0xffffffff) throw protocolViolation(`a ticket allows ${maximum} bytes of early data`)
  }
  return { lifetime, ageAdd, nonce, ticket, earlyData: earlyData !== null }
}
