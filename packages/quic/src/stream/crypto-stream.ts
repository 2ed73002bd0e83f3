// The CRYPTO stream of one packet number space (RFC 9000 §7.5, §19.6): a stream without identifier, end or flow control. What
// flow control bounds elsewhere is bounded here by a fixed buffer.

import type { FrameSink } from '../delivery/frame-sink.ts'
import { TokenKind } from '../delivery/token.ts'
import { FrameType, TransportErrorCode } from '../wire/constants.ts'
import { cryptoFrameHeaderSize, writeCryptoFrameHeader } from '../wire/frames/crypto.ts'
import { TransportError } from '../wire/transport-error.ts'
import { Reassembler } from './reassembler.ts'
import { SendBuffer } from './send-buffer.ts'

/** Bytes the peer may be ahead of what TLS has read. RFC 9000 §7.5 asks for at least 4096. */
export const MAX_CRYPTO_BUFFER = 65_536

export class CryptoStream {
  private readonly outgoing: SendBuffer
  private readonly incoming: Reassembler

  constructor() {
    this.outgoing = new SendBuffer()
    this.incoming = new Reassembler()
  }

  /** Queues handshake bytes and takes them over. */
  write(bytes: Uint8Array): void {
    this.outgoing.write(bytes, 0, bytes.length)
  }

  /** A CRYPTO frame. Throws CRYPTO_BUFFER_EXCEEDED. The buffer is the room's from now on. */
  onFrame(offset: number, buffer: Uint8Array, start: number, length: number): void {
    if (offset + length - this.incoming.readOffset > MAX_CRYPTO_BUFFER) {
      throw new TransportError(TransportErrorCode.cryptoBufferExceeded, FrameType.crypto, 'more handshake data than is buffered')
    }
    if (!this.incoming.insert(offset, buffer, start, length)) {
      throw new TransportError(TransportErrorCode.cryptoBufferExceeded, FrameType.crypto, 'too many gaps in received handshake data')
    }
  }

  /** The next bytes in order, which count as read; null when there are none. */
  read(): Uint8Array | null {
    const bytes = this.incoming.peek()
    if (bytes !== null) this.incoming.consume(bytes.length)
    return bytes
  }

  /** Everything below has been read. */
  get readOffset(): number {
    return this.incoming.readOffset
  }

  /** Bytes have arrived that have not been read. */
  holdsUnread(): boolean {
    return this.incoming.readable() > 0 || this.incoming.hasGap()
  }

  wants(): boolean {
    return this.outgoing.hasLost() || this.outgoing.unsent() > 0
  }

  /** CRYPTO frames, lost bytes first. False: the packet is full and more is due. */
  writeFrames(sink: FrameSink): boolean {
    const buffer = this.outgoing
    for (;;) {
      const lost = buffer.hasLost()
      const offset = lost ? buffer.lostStart() : buffer.sent
      const available = lost ? buffer.lostEnd() - offset : buffer.unsent()
      if (available === 0) return true
      const room = sink.room()
      const length = Math.min(available, room - cryptoFrameHeaderSize(offset, Math.max(0, Math.min(available, room))))
      if (length <= 0) return false
      writeCryptoFrameHeader(sink.writer, offset, length)
      buffer.copyOut(sink.writer, offset, length)
      sink.token(TokenKind.crypto, offset, length, 0)
    }
  }

  acked(offset: number, length: number): void {
    this.outgoing.acked(offset, length)
  }

  lost(offset: number, length: number): void {
    this.outgoing.lost(offset, length)
  }

  /** Everything sent and not acknowledged is due again: after a Retry, or to probe (RFC 9002 §6.2.4). */
  rewind(): void {
    this.outgoing.lost(this.outgoing.base, this.outgoing.sent - this.outgoing.base)
  }
}
