// Handshakes that follow one another: a server with tickets, a client with a store, and the time in between.

import { nodeProvider } from '../../../src/crypto/node/index.ts'
import type { TlsConfig } from '../../../src/tls/engine.ts'
import type { TlsEvent } from '../../../src/tls/events.ts'
import { ServerTickets } from '../../../src/tls/resumption/server-tickets.ts'
import type { TicketSettings } from '../../../src/tls/resumption/server-tickets.ts'
import { MemorySessionStore } from '../../../src/tls/resumption/session-store.ts'
import type { StoredSession } from '../../../src/tls/resumption/session-store.ts'
import { NOW } from '../certificates/authority.ts'
import { clientConfig, Pair, serverConfig, type Hand } from '../handshake.ts'

/** A client and a server that know each other over several connections. */
export class Acquaintance {
  readonly store: MemorySessionStore
  readonly tickets: ServerTickets
  client: Partial<TlsConfig>
  server: Partial<TlsConfig>
  /** Unix milliseconds on both sides. */
  now: number

  constructor(settings: TicketSettings = {}, both: Partial<TlsConfig> = {}) {
    this.store = new MemorySessionStore()
    this.tickets = new ServerTickets(nodeProvider, settings)
    this.client = both
    this.server = both
    this.now = NOW
  }

  /** One handshake, with changes for this one only. */
  meet(client: Partial<TlsConfig> = {}, server: Partial<TlsConfig> = {}, hand?: Hand): Pair {
    return this.begin(client, server, hand).run()
  }

  begin(client: Partial<TlsConfig> = {}, server: Partial<TlsConfig> = {}, hand?: Hand): Pair {
    const ours = { sessions: this.store, timeOrigin: this.now, ...this.client, ...client }
    const theirs = { tickets: this.tickets, timeOrigin: this.now, ...this.server, ...server }
    return new Pair(clientConfig(ours), serverConfig(theirs), hand)
  }

  /** Changes what the client has stored. */
  alter(change: (session: StoredSession) => StoredSession): void {
    const sessions: StoredSession[] = []
    for (let session = this.store.take('localhost'); session !== null; session = this.store.take('localhost')) sessions.unshift(session)
    for (const session of sessions) this.store.put('localhost', change(session))
  }
}

/** With early data allowed on all sides. */
export function earlyAcquaintance(settings: TicketSettings = {}, both: Partial<TlsConfig> = {}): Acquaintance {
  const pair = new Acquaintance({ earlyData: true, ...settings }, both)
  pair.client = { ...both, earlyData: true }
  pair.server = { ...both, acceptEarlyData: () => true }
  return pair
}

export function names(events: readonly TlsEvent[]): string[] {
  return events.map((event) => {
    if (event.kind === 'crypto') return `crypto ${event.level} ${event.bytes[0]}`
    if (event.kind === 'keys') return `keys ${event.level} ${event.direction}`
    if (event.kind === 'early-data') return `early-data ${event.accepted ? 'accepted' : 'rejected'}`
    return event.kind
  })
}

export function secretOf(events: readonly TlsEvent[], level: number, direction: 'read' | 'write'): Uint8Array | null {
  for (const event of events) if (event.kind === 'keys' && event.level === level && event.direction === direction) return event.secret
  return null
}
