import type { WireValue } from '@quicwire/quic/varint'
import type { Header } from '../events.ts'
import type { Setting } from '../wire/settings.ts'

/**
 * What an HTTP/3 connection tells whoever traces it (draft-ietf-quic-qlog-h3-events): settings, streams, frames, priorities, datagrams. A
 * connection without a sink makes none of the arguments.
 */

export type TraceInitiator = 'local' | 'remote'

/** A frame that was made or read. `length` is that of its payload on the wire. */
export type TracedFrame =
  | { readonly type: 'data'; readonly length: number }
  | { readonly type: 'headers'; readonly length: number; readonly headers: readonly Header[] }
  | { readonly type: 'settings'; readonly settings: readonly Setting[] }
  | { readonly type: 'goaway'; readonly id: WireValue }
  | { readonly type: 'max_push_id'; readonly pushId: WireValue }
  | { readonly type: 'priority_update'; readonly streamId: number; readonly value: string }
  | { readonly type: 'origin'; readonly origins: readonly string[] }
  /** A type that is reserved, or that nobody here knows. */
  | { readonly type: 'unknown'; readonly frameType: number; readonly length: number }

export interface H3TraceSink {
  parametersSet(initiator: TraceInitiator, settings: readonly Setting[]): void
  /** Client: the settings that 0-RTT begins with (RFC 9114 §7.2.4.2). */
  parametersRestored(settings: readonly Setting[]): void
  /** `streamType`: of a unidirectional stream (RFC 9114 §6.2); -1 for a request stream. */
  streamTypeSet(initiator: TraceInitiator, streamId: number, streamType: number): void
  /** What a request's priority is now, as a Priority Field Value (RFC 9218 §4). */
  priorityUpdated(streamId: number, value: string): void
  frameCreated(streamId: number, frame: TracedFrame): void
  frameParsed(streamId: number, frame: TracedFrame): void
  /** `length`: of the payload behind the Quarter Stream ID. */
  datagramCreated(streamId: number, length: number): void
  datagramParsed(streamId: number, length: number): void
}
