// The frames of one message as a byte stream. The end of the body is a frame of its own: a channel that ends without it
// means the peer or the connection cut the message short, and that is an error, never a short body.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { InboundFrameStream } from '@quicwire/driver'
import type { ByteStream, Header } from './message.ts'

/** The message did not arrive whole, or not at all. */
export class ResponseError extends Error {
  override readonly name: string = 'ResponseError'
  readonly code: string = 'QUICWIRE_RESPONSE_FAILED'
}

export class BodyStream implements ByteStream {
  private readonly frames: InboundFrameStream
  private readonly whyEnded: () => Error
  private ended: boolean
  private trailerFields: readonly Header[]

  /** `whyEnded` says what went wrong when the frames stop early. */
  constructor(frames: InboundFrameStream, whyEnded: () => Error) {
    this.frames = frames
    this.whyEnded = whyEnded
    this.ended = false
    this.trailerFields = []
  }

  get trailers(): readonly Header[] {
    return this.trailerFields
  }

  /** True once the whole body was read. */
  get complete(): boolean {
    return this.ended
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        const piece = await this.next()
        return piece === null ? { done: true, value: undefined } : { done: false, value: piece }
      },
      return: () => {
        this.cancel()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }

  /** Wants no more: the sender is told to stop, unless everything is here. */
  cancel(): void {
    this.frames.close()
  }

  async bytes(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    for await (const piece of this) pieces.push(piece)
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes())
  }

  private async next(): Promise<Uint8Array | null> {
    while (!this.ended) {
      const frame = await this.frames.recv()
      if (frame === null) {
        // The channel ends in the turn in which the cause is announced; the announcement has its own reader.
        await nextTurn()
        throw this.whyEnded()
      }
      if (frame.kind === 'Trailers') {
        this.trailerFields = frame.headers
        continue
      }
      this.ended = frame.fin
      if (frame.data.length > 0) return frame.data
    }
    return null
  }
}
