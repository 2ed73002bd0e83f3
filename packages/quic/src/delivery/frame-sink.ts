// What an owner of frames sees of the packet under construction: a cursor, the room left, and where to register what was said.
// An owner asks room() before it writes, writes whole frames with `writer`, then registers one token per frame.

import type { Writer } from '../wire/writer.ts'

export interface FrameSink {
  /** The cursor inside the packet's payload. */
  readonly writer: Writer
  /** Bytes still free for frames in this packet. */
  room(): number
  /** Registers the frame just written; the packet becomes ack-eliciting. Slots: see token.ts. */
  token(kind: number, a: number, b: number, c: number): void
}
