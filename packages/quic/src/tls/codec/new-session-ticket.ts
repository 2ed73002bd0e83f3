// NewSessionTicket, both ways. RFC 9846 §4.7.1; RFC 9001 §4.6.1.

import { Alert, alert, protocolViolation } from '../alerts.ts'
import { ExtensionSite, ExtensionType, readExtensions } from '../extensions/registry.ts'
import { finish, message, open, vector16, vector8 } from './block.ts'
import { HandshakeType } from './message.ts'

export interface NewSessionTicket {
  /** Seconds. */
  readonly lifetime: number
  readonly ageAdd: number
  readonly nonce: Uint8Array
  readonly ticket: Uint8Array
  readonly earlyData: boolean
}

/** RFC 9001 §4.6.1: the one value max_early_data_size has in QUIC. */
const EARLY_DATA_SIZE = 0xffffffff

export function encodeNewSessionTicket({ lifetime, ageAdd, nonce, ticket, earlyData }: NewSessionTicket): Uint8Array<ArrayBuffer> {
  return message(HandshakeType.newSessionTicket, (writer) => {
    writer.u32(lifetime)
    writer.u32(ageAdd)
    writer.vector8(nonce)
    writer.vector16(ticket)
    const extensions = writer.begin(2)
    if (earlyData) {
      writer.u16(ExtensionType.earlyData)
      writer.u16(4)
      writer.u32(EARLY_DATA_SIZE)
    }
    writer.end(extensions, 2)
  })
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
    if (maximum !== EARLY_DATA_SIZE) throw protocolViolation(`a ticket allows ${maximum} bytes of early data`)
  }
  return { lifetime, ageAdd, nonce, ticket, earlyData: earlyData !== null }
}
