// What runs on a connection: the worker owns the engine and one application, and calls it in a fixed order (worker/running-stage.ts).
// Every callback is synchronous. waitForData is the poll form of an asynchronous wait: it handles what is ready and returns;
// the application calls context.wake() when more becomes ready. Nothing is held across turns, so there is nothing to cancel.

import type { CloseReason, Connection, ConnectionEvent, HandshakeInfo } from '@quicwire/quic'

/** Events that belong to the application; the worker keeps the others. */
export type TransportEvent = Extract<
  ConnectionEvent,
  {
    kind:
      | 'stream-opened'
      | 'stream-readable'
      | 'stream-writable'
      | 'stream-reset'
      | 'stream-stopped'
      | 'stream-closed'
      | 'streams-available'
      | 'datagram'
      | 'datagram-acknowledged'
      | 'datagram-lost'
      | 'confirmed'
  }
>

/** The worker as its application sees it. Valid for the life of the connection. */
export interface ApplicationContext {
  readonly connection: Connection
  /** The time of the current turn, for the verbs that want one. */
  readonly now: number
  /** Asks for a turn; cheap, and safe from anywhere. */
  wake(): void
}

/** Times of the handshake, milliseconds on the monotonic clock. */
export interface HandshakeTimes {
  readonly startedAt: number
  /** From the first packet to the end of the handshake. */
  readonly elapsed: number
}

export interface ApplicationOverQuic {
  /** Once, when the handshake is complete. An exception closes the connection. */
  onConnEstablished(context: ApplicationContext, info: HandshakeInfo, times: HandshakeTimes): void
  /** Asked before every other callback but onConnClose. */
  shouldAct(): boolean
  /** A transport event, in order, each once. */
  onTransportEvent(context: ApplicationContext, event: TransportEvent): void
  /** After the events of a pass have been handed over. */
  processReads(context: ApplicationContext): void
  processWrites(context: ApplicationContext): void
  /** Handles whatever has become ready outside the network. True when anything was done. */
  waitForData(context: ApplicationContext): boolean
  /** When onDeadline() wants to be called, on the monotonic clock; Infinity for never. */
  nextDeadline(): number
  onDeadline(context: ApplicationContext): void
  /** A graceful end is asked for: finish what is under way, then close the connection. */
  onShutdown(context: ApplicationContext): void
  /** Exactly once, whatever ended the connection, also when it was never established. */
  onConnClose(context: ApplicationContext, reason: CloseReason): void
}
