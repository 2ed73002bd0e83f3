// A protocol of one's own over QUIC: what arrives on a stream goes back on it (a one-way stream comes back as another), and datagrams return.
// ApplicationOverQuic is all there is to implement; the worker calls it in the connection's own turn.

import type { ApplicationContext, ApplicationOverQuic, TransportEvent } from '@quicwire/driver'

const isOneWay = (id: number): boolean => (id & 2) !== 0

/** The streams it writes to are those it reads, but for one-way ones. */
export class EchoServer implements ApplicationOverQuic {
  private readonly answers: Map<number, number>
  private established: boolean
  streams: number

  constructor() {
    this.answers = new Map()
    this.established = false
    this.streams = 0
  }

  onConnEstablished(): void {
    this.established = true
  }

  shouldAct(): boolean {
    return this.established
  }

  onTransportEvent({ connection }: ApplicationContext, event: TransportEvent): void {
    switch (event.kind) {
      case 'stream-opened':
        this.streams++
        this.answers.set(event.streamId, isOneWay(event.streamId) ? connection.openStream(false) : event.streamId)
        return
      case 'stream-readable':
        this.pump(connection, event.streamId)
        return
      case 'stream-writable':
        for (const [from, to] of this.answers) if (to === event.streamId) this.pump(connection, from)
        return
      case 'stream-reset':
      case 'stream-closed':
        this.answers.delete(event.streamId)
        return
      case 'datagram':
        for (let data = connection.datagramReceive(); data !== null; data = connection.datagramReceive()) connection.datagramSend(data)
        return
      default:
    }
  }

  /** Takes no more than can be written: that is the whole of backpressure. */
  private pump(connection: ApplicationContext['connection'], from: number): void {
    const to = this.answers.get(from)
    if (to === undefined || to < 0) return
    for (let data = connection.streamPeek(from); data !== null; data = connection.streamPeek(from)) {
      const written = connection.streamWrite(to, data.slice(), false)
      if (written > 0) connection.streamConsume(from, written)
      if (written < data.length) return
    }
    if (connection.streamReceiveState(from) === 1) {
      connection.streamWrite(to, new Uint8Array(0), true)
      this.answers.delete(from)
    }
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
    connection.close(0, 'goodbye', now)
  }

  onConnClose(): void {
    this.established = false
    this.answers.clear()
  }
}
