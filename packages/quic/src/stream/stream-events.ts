// What the stream room tells its owner. 'stream-readable' and 'stream-writable' are coalesced: at most one of each per stream is
// queued; readable is re-armed when the stream is read dry, writable by a write() that was not accepted in full.

import type { WireValue } from '../wire/varint.ts'

export type StreamEvent =
  /** The peer opened a stream. */
  | { readonly kind: 'stream-opened'; readonly streamId: number }
  /** Bytes or the end of the stream can be read. */
  | { readonly kind: 'stream-readable'; readonly streamId: number }
  /** A write that had been refused in part can go on. */
  | { readonly kind: 'stream-writable'; readonly streamId: number }
  /** The peer reset its sending half; unread bytes are gone. After RESET_STREAM_AT it comes when what was promised has been read. */
  | { readonly kind: 'stream-reset'; readonly streamId: number; readonly code: WireValue }
  /** The peer asked us to stop; our sending half has been reset with the same code. */
  | { readonly kind: 'stream-stopped'; readonly streamId: number; readonly code: WireValue }
  /** Both halves are done. The last event of a stream; its id answers queries until the next poll. */
  | { readonly kind: 'stream-closed'; readonly streamId: number }
  /** open() had failed, and the peer raised its limit. streamId: -1. */
  | { readonly kind: 'streams-available'; readonly streamId: -1; readonly bidirectional: boolean }
