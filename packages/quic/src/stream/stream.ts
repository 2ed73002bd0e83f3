// One stream: its halves, and what is queued about it. Halves that the type does not have are null (RFC 9000 §2.1).

import type { RecvStream } from './recv-stream.ts'
import { SendStream } from './send-stream.ts'
import type { StreamEvent } from './stream-events.ts'

/** Control frames waiting to be written for a stream. */
export const StreamControl = { maxStreamData: 1, streamDataBlocked: 2, resetStream: 4, stopSending: 8, resetStreamAt: 16 } as const

export class Stream {
  readonly id: number
  readonly send: SendStream<Stream> | null
  readonly recv: RecvStream | null
  /** Bits of StreamControl. */
  control: number
  /** Beyond the peer's limit since early data was rejected: says nothing until there is credit, and then what is in `heldControl`. */
  held: boolean
  heldControl: number
  /** It is in the queue of streams with control frames. */
  inControlQueue: boolean
  /** The application has read everything it was told of. */
  readDry: boolean
  readableQueued: boolean
  writableQueued: boolean
  // Said again and again: made once.
  readableEvent: StreamEvent | null
  writableEvent: StreamEvent | null
  /** Both halves are terminal and 'stream-closed' is queued. */
  closing: boolean

  constructor(id: number, sendLimit: number, recv: RecvStream | null) {
    this.id = id
    this.send = sendLimit < 0 ? null : new SendStream<Stream>(this, id, sendLimit)
    this.recv = recv
    this.control = 0
    this.held = false
    this.heldControl = 0
    this.inControlQueue = false
    this.readDry = true
    this.readableQueued = false
    this.writableQueued = false
    this.readableEvent = null
    this.writableEvent = null
    this.closing = false
  }

  isTerminal(): boolean {
    return (this.send === null || this.send.isTerminal()) && (this.recv === null || this.recv.isTerminal())
  }
}
