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
      | 'early-data'
      | 'established'
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
  /** Clients: bytes to keep with the sessions of this connection, at most 4096: what early data with one of them has to go by. */
  setEarlyDataContext(bytes: Uint8Array): void
}

/** Times of the handshake, milliseconds; instants are on the monotonic clock. */
export interface HandshakeTimes {
  /** On a server when the connection was accepted, which is after a Retry. */
  readonly startedAt: number
  /** How long it might have taken. */
  readonly timeout: number
  /** startedAt + timeout. */
  readonly deadline: number
  /** From the start to now: to the end of the handshake, unless the application was started in early data. */
  readonly elapsed: number
}

export interface ApplicationOverQuic {
  /**
   * Whether the application wants to begin before the handshake is complete: on a client what it sends then may be replayed, on a server
   * what it is sent may be a replay (RFC 9001 §9.2). Asked once, when early data is possible. Absent: no.
   */
  startsInEarlyData?(context: ApplicationContext): boolean
  /**
   * Once, when the handshake is complete, or with startsInEarlyData() before, then with `info` null and followed by the event
   * 'established'. An exception closes the connection.
   */
  onConnEstablished(context: ApplicationContext, info: HandshakeInfo | null, times: HandshakeTimes): void
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
