import type { WireValue } from '@quicwire/quic/varint'

/**
 * What HTTP/3 needs from a QUIC connection (RFC 9114 §2, RFC 9000 §2.4). quic's `Connection` satisfies it
 * structurally, so there is neither an adapter nor an import. No verb throws on peer behaviour; byte counts are
 * numbers, stream ids are QUIC's own.
 */
export interface H3Transport {
  /** The new stream's id; -1 while the peer's stream limit forbids it ('streams-available' follows). */
  openStream(bidirectional: boolean): number
  /**
   * Takes ownership of `data`. The number of bytes accepted, never fewer than `min(data.length, streamCapacity(id))`; -1 when
   * the send half is closed or stopped. `fin` counts only if everything was accepted. 'stream-writable' follows a
   * short write.
   */
  streamWrite(id: number, data: Uint8Array, fin: boolean): number
  /** Bytes `streamWrite` would accept now; -1 when the send half is closed or stopped. 'stream-writable' follows when it grows. */
  streamCapacity(id: number): number
  /** The next contiguous bytes, a view that stays valid after `streamConsume`; null when there are none now. */
  streamPeek(id: number): Uint8Array | null
  streamConsume(id: number, length: number): void
  /** 0 open, 1 finished (fin reached and everything consumed), 2 reset by the peer, 3 unknown. */
  streamReceiveState(id: number): number
  streamResetCode(id: number): WireValue
  streamStopCode(id: number): WireValue
  /** RESET_STREAM. */
  streamReset(id: number, code: WireValue): void
  /** STOP_SENDING; what is buffered is dropped. */
  streamStop(id: number, code: WireValue): void
  /** 0..255, lower goes first. */
  streamSetPriority(id: number, urgency: number, incremental: boolean): void
  streamsLeft(bidirectional: boolean): number
  /** How many streams of the kind the peer may have opened altogether: the last MAX_STREAMS we sent. */
  peerStreamLimit(bidirectional: boolean): number
  datagramSend(data: Uint8Array): boolean
  datagramReceive(): Uint8Array | null
  /** The largest DATAGRAM payload that can be sent; 0 when the peer did not negotiate datagrams. */
  datagramMaxSize(): number
}

/** Values of `streamReceiveState`. */
export const ReceiveState = { open: 0, finished: 1, reset: 2, unknown: 3 } as const

/**
 * The transport's stream events, as quic's `Connection.poll()` gives them. Each goes to `H3Connection.onStreamEvent` before the next is
 * polled: a stream whose end has been announced may be gone with the event after it.
 */
export interface H3StreamEvent {
  readonly kind:
    | 'stream-opened'
    | 'stream-readable'
    | 'stream-writable'
    | 'stream-reset'
    | 'stream-stopped'
    | 'stream-closed'
    | 'streams-available'
  readonly streamId: number
  readonly code?: WireValue | undefined
}
