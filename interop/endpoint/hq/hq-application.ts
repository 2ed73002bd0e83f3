// What both ends of hq-interop have in common: everything happens in transport events; files are read and written in the connection's
// own turn, a piece at a time, so that memory holds no more than the transport's buffers.

import type { ApplicationContext, ApplicationOverQuic, TransportEvent } from '@quicwire/driver'

/** Application error code of a request that cannot be answered, on both halves. */
export const HQ_ERROR = 1

export type HqConnection = ApplicationContext['connection']

export abstract class HqApplication implements ApplicationOverQuic {
  protected context: ApplicationContext | null

  constructor() {
    this.context = null
  }

  /** Bytes of a stream; a view of the packet. */
  protected abstract onData(connection: HqConnection, streamId: number, data: Uint8Array): void
  protected abstract onEnd(connection: HqConnection, streamId: number): void
  protected abstract onWritable(connection: HqConnection, streamId: number): void
  /** The peer reset its half. */
  protected abstract onReset(streamId: number): void
  /** The peer wants nothing on it, or both halves are done. */
  protected abstract onGone(streamId: number): void
  /** Streams can be opened, perhaps. */
  protected onReady(): void {
    // Servers open none.
  }

  abstract startsInEarlyData(): boolean

  onConnEstablished(context: ApplicationContext): void {
    this.context = context
    this.onReady()
  }

  shouldAct(): boolean {
    return this.context !== null
  }

  onTransportEvent({ connection }: ApplicationContext, event: TransportEvent): void {
    switch (event.kind) {
      case 'stream-readable':
        this.read(connection, event.streamId)
        return
      case 'stream-writable':
        this.onWritable(connection, event.streamId)
        return
      case 'stream-reset':
        this.onReset(event.streamId)
        return
      case 'stream-stopped':
      case 'stream-closed':
        this.onGone(event.streamId)
        return
      case 'streams-available':
        this.onReady()
        return
      default:
    }
  }

  private read(connection: HqConnection, streamId: number): void {
    for (let data = connection.streamPeek(streamId); data !== null; data = connection.streamPeek(streamId)) {
      // The bytes stay; a stream that onData() stops has none to give up.
      connection.streamConsume(streamId, data.length)
      this.onData(connection, streamId, data)
    }
    if (connection.streamReceiveState(streamId) === 1) this.onEnd(connection, streamId)
  }

  processReads(): void {
    // Everything comes with events.
  }

  processWrites(): void {
    // The same.
  }

  waitForData(): boolean {
    return false
  }

  nextDeadline(): number {
    return Infinity
  }

  onDeadline(): void {
    // There is none.
  }

  onShutdown({ connection, now }: ApplicationContext): void {
    connection.close(0, '', now)
  }

  onConnClose(): void {
    this.context = null
  }
}
