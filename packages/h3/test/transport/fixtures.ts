import type { H3StreamEvent, H3Transport } from '../../src/index.ts'
import { transportPair } from '../transport-pair.ts'
import { quicPair } from './quic-pair.ts'

/** One side of a transport, as the conformance suite sees it. */
export interface TransportSide {
  readonly transport: H3Transport
  /** Where its stream events gather, oldest first. */
  readonly events: H3StreamEvent[]
  /** Whether datagrams have come. */
  hasDatagrams(): boolean
  /** From now on each event goes to the listener as it happens. */
  listen(listener: (event: H3StreamEvent) => void): void
}

export interface TransportLimits {
  /** Bidirectional streams each side may open. */
  readonly streams: number
  /** Bytes a stream takes ahead of what has been sent. */
  readonly sendBuffer: number
}

/** Two sides that are connected, and what moves everything that waits to the other side. */
export interface TransportFixture {
  readonly client: TransportSide
  readonly server: TransportSide
  move(): void
}

export type TransportFactory = (limits?: Partial<TransportLimits>) => TransportFixture

/** The second, fake transport. */
export const fakeTransports: TransportFactory = (limits = {}) => {
  const { client, server } = transportPair()
  for (const side of [client, server]) {
    side.datagramLimit = 1200
    side.limits.bidi = limits.streams ?? 100
    side.bufferLimit = limits.sendBuffer ?? 262_144
  }
  const side = (transport: typeof client): TransportSide => ({
    transport,
    events: transport.events,
    hasDatagrams: () => transport.hasDatagrams(),
    // Its streams are never removed: events can wait.
    listen: () => undefined,
  })
  return {
    client: side(client),
    server: side(server),
    move: () => {
      for (let busy = true; busy; ) {
        const there = client.deliver(1000, () => undefined)
        busy = server.deliver(1000, () => undefined) || there
      }
    },
  }
}

/** The real one. */
export const quicTransports: TransportFactory = (limits = {}) => {
  const { client, server, network } = quicPair({ initialMaxStreamsBidi: limits.streams ?? 100, sendBufferLimit: limits.sendBuffer ?? 262_144 })
  const side = (from: typeof client): TransportSide => ({
    transport: from.connection,
    events: from.events,
    hasDatagrams: () => from.hasDatagrams(),
    listen: (listener) => {
      from.listener = listener
    },
  })
  return { client: side(client), server: side(server), move: () => network.runFor(150) }
}
