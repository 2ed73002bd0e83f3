// What a server seals into a session ticket: everything it needs to resume, so that it keeps nothing per client (RFC 9846 §4.7.1).

import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { isCipherSuite } from '../../crypto/provider.ts'
import type { CipherSuiteId } from '../../crypto/provider.ts'
import { BlockWriter, open, vector16, vector8 } from '../codec/block.ts'

export interface TicketContent {
  readonly cipherSuite: CipherSuiteId
  /** Derived from the resumption secret with the ticket's nonce. */
  readonly psk: Uint8Array
  readonly ageAdd: number
  /** When the certificate was last shown, in Unix milliseconds: resumption does not renew it. */
  readonly authenticatedAt: number
  readonly alpn: string
  readonly serverName: string | null
  readonly earlyData: boolean
  /** The owner's bytes: remembered transport parameters and the like. */
  readonly context: Uint8Array
}

const FORMAT = 1

export function encodeTicketContent(content: TicketContent): Uint8Array<ArrayBuffer> {
  const writer = new BlockWriter()
  writer.u8(FORMAT)
  writer.u16(content.cipherSuite)
  writer.vector8(content.psk)
  writer.u32(content.ageAdd)
  writer.u32(Math.floor(content.authenticatedAt / 1000))
  writer.vector8(utf8(content.alpn))
  writer.vector8(content.serverName === null ? utf8('') : utf8(content.serverName))
  writer.u8(content.earlyData ? 1 : 0)
  writer.vector16(content.context)
  return writer.take()
}

/** Null: sealed by a version with another format. */
export function decodeTicketContent(bytes: Uint8Array): TicketContent | null {
  const reader = open(bytes)
  if (reader.u8() !== FORMAT) return null
  const cipherSuite = reader.u16()
  const psk = vector8(reader)
  const ageAdd = reader.u32()
  const authenticatedAt = reader.u32() * 1000
  const alpn = fromUtf8(vector8(reader))
  const serverName = fromUtf8(vector8(reader))
  const earlyData = reader.u8() === 1
  const context = vector16(reader)
  if (reader.failed || reader.remaining !== 0 || !isCipherSuite(cipherSuite)) return null
  return { cipherSuite, psk, ageAdd, authenticatedAt, alpn, serverName: serverName === '' ? null : serverName, earlyData, context }
}
