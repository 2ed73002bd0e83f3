// The handshake messages in the CRYPTO data of one side at one level. Read leniently: what a capture shows is to be
// reported, not refused.

import { toHex } from '../../packages/quic/src/base/bytes.ts'
import { RangeSet } from '../../packages/quic/src/base/range-set.ts'
import { Reassembler } from '../../packages/quic/src/stream/reassembler.ts'
import { HandshakeType, type HandshakeMessage } from '../../packages/quic/src/tls/codec/message.ts'
import { ExtensionType } from '../../packages/quic/src/tls/extensions/registry.ts'
import { MessageReader } from '../../packages/quic/src/tls/message-reader.ts'
import { EncryptionLevel } from '../../packages/quic/src/wire/constants.ts'
import { Reader } from '../../packages/quic/src/wire/reader.ts'
import { decodeTransportParameters } from '../../packages/quic/src/wire/transport-parameters/codec.ts'
import { TransportParameterId } from '../../packages/quic/src/wire/transport-parameters/table.ts'
import type { CapturedMessage } from './datagram.ts'

/** Beyond this the data is no handshake any more. */
const MAX_OFFSET = 0x10_0000

export class CryptoReader {
  private readonly bytes: Reassembler
  private readonly seen: RangeSet
  private readonly messages: MessageReader
  /** A message that cannot be one: the rest means nothing. */
  private broken: boolean

  constructor() {
    this.bytes = new Reassembler()
    this.seen = new RangeSet()
    this.messages = new MessageReader()
    this.broken = false
  }

  /** Takes in the data of one frame; true when some of it had been there before. */
  insert(offset: number, data: Uint8Array): boolean {
    if (data.length === 0 || offset + data.length > MAX_OFFSET) return false
    const end = offset + data.length
    const repeats = this.seen.contains(offset) || this.seen.contains(end - 1)
    this.seen.add(offset, end)
    if (!this.bytes.insert(offset, data.slice(), 0, data.length)) this.broken = true
    return repeats
  }

  /** The next message that is complete. */
  next(): HandshakeMessage | null {
    if (this.broken) return null
    try {
      for (let bytes = this.bytes.peek(); bytes !== null; bytes = this.bytes.peek()) {
        this.messages.push(EncryptionLevel.initial, bytes)
        this.bytes.consume(bytes.length)
      }
      return this.messages.next(EncryptionLevel.initial)
    } catch {
      this.broken = true
      return null
    }
  }
}

export function describeMessage({ type, body }: HandshakeMessage): CapturedMessage {
  if (type === HandshakeType.clientHello) return { type, cipherSuites: offeredSuites(body) }
  if (type !== HandshakeType.encryptedExtensions) return { type }
  const parameters = serverParameters(body)
  const initialMaxStreamsBidi = parameters === null ? null : integerParameter(parameters, TransportParameterId.initialMaxStreamsBidi)
  return initialMaxStreamsBidi === null ? { type } : { type, initialMaxStreamsBidi }
}

/** By which key logs name a handshake. */
export function clientRandomOf(clientHello: HandshakeMessage): string {
  return toHex(clientHello.body.subarray(2, 34))
}

/** The connection ID that comes with a server's preferred address; null without one. */
export function preferredConnectionId(encryptedExtensions: HandshakeMessage): Uint8Array | null {
  const parameters = serverParameters(encryptedExtensions.body)
  if (parameters === null) return null
  try {
    return decodeTransportParameters(parameters, 'server').preferredAddress?.connectionId ?? null
  } catch {
    return null
  }
}

// legacy_version, random, legacy_session_id, cipher_suites.
function offeredSuites(body: Uint8Array): number[] {
  const reader = new Reader(body)
  reader.skip(34)
  reader.skip(reader.u8())
  const list = reader.view(reader.u16())
  const suites: number[] = []
  for (let i = 0; i + 1 < list.length; i += 2) suites.push((list[i]! << 8) | list[i + 1]!)
  return suites
}

function serverParameters(encryptedExtensions: Uint8Array): Uint8Array | null {
  const reader = new Reader(encryptedExtensions)
  reader.u16()
  while (!reader.failed && reader.remaining > 0) {
    const type = reader.u16()
    const body = reader.view(reader.u16())
    if (!reader.failed && type === ExtensionType.quicTransportParameters) return body
  }
  return null
}

function integerParameter(parameters: Uint8Array, wanted: number): number | null {
  const reader = new Reader(parameters)
  while (!reader.failed && reader.remaining > 0) {
    const id = reader.varintSaturating()
    const value = reader.view(reader.varint())
    if (!reader.failed && id === wanted) return new Reader(value).varintSaturating()
  }
  return null
}
