// Cuts the CRYPTO byte streams of the three levels into handshake messages. RFC 9846 §4, RFC 9001 §4.1.3.
// Bytes of a level above the current one wait. A message is bounded by its announced length before it has arrived.

import { FrameType, TransportErrorCode } from '../wire/constants.ts'
import type { EncryptionLevel } from '../wire/constants.ts'
import { TransportError } from '../wire/transport-error.ts'
import { EMPTY } from '../base/bytes.ts'
import { Alert, alert } from './alerts.ts'
import { MESSAGE_HEADER, handshakeName } from './codec/message.ts'
import type { HandshakeMessage } from './codec/message.ts'

/** Longest message body taken: certificate chains are the only long messages. */
export const MAX_MESSAGE = 65_536

/** Bytes a level may hold while the handshake rests or reads another level. */
const MAX_BUFFERED = 2 * (MAX_MESSAGE + MESSAGE_HEADER)

class LevelBuffer {
  bytes: Uint8Array
  start: number
  end: number

  constructor() {
    this.bytes = EMPTY
    this.start = 0
    this.end = 0
  }

  get length(): number {
    return this.end - this.start
  }

  push(source: Uint8Array): void {
    const needed = this.length + source.length
    if (this.end + source.length > this.bytes.length) {
      const target = needed > this.bytes.length ? new Uint8Array(Math.max(needed, 2 * this.bytes.length, 1024)) : this.bytes
      target.set(this.bytes.subarray(this.start, this.end))
      this.bytes = target
      this.end -= this.start
      this.start = 0
    }
    this.bytes.set(source, this.end)
    this.end += source.length
  }
}

export class MessageReader {
  readonly #levels: readonly LevelBuffer[]

  constructor() {
    this.#levels = [new LevelBuffer(), new LevelBuffer(), new LevelBuffer(), new LevelBuffer()]
  }

  push(level: EncryptionLevel, bytes: Uint8Array): void {
    const buffer = this.#levels[level]!
    if (buffer.length + bytes.length > MAX_BUFFERED) {
      throw new TransportError(TransportErrorCode.cryptoBufferExceeded, FrameType.crypto, 'too many unread handshake bytes')
    }
    buffer.push(bytes)
  }

  /** Bytes that have not been given out as messages. */
  pending(level: EncryptionLevel): number {
    return this.#levels[level]!.length
  }

  /** The next complete message of a level, in its own memory, or null. */
  next(level: EncryptionLevel): HandshakeMessage | null {
    const buffer = this.#levels[level]!
    if (buffer.length < MESSAGE_HEADER) return null
    const { bytes: source, start } = buffer
    const type = source[start]!
    const length = (source[start + 1]! << 16) | (source[start + 2]! << 8) | source[start + 3]!
    if (length > MAX_MESSAGE) throw alert(Alert.decodeError, `${handshakeName(type)} announces ${length} bytes`)
    const total = MESSAGE_HEADER + length
    if (buffer.length < total) return null
    const bytes = source.slice(start, start + total)
    buffer.start += total
    return { type, bytes, body: bytes.subarray(MESSAGE_HEADER) }
  }
}
