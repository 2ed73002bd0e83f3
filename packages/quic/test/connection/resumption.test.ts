// Tickets through the transport: given in 1-RTT CRYPTO frames, used by the next connection of the same client (RFC 9001 §4.5).

import { describe, expect, it } from 'vitest'
import { ServerTickets } from '../../src/tls/resumption/server-tickets.ts'
import { MemorySessionStore } from '../../src/tls/resumption/session-store.ts'
import { providers } from '../crypto/provider-under-test.ts'
import { Pair, pattern, type Peer } from './pair.ts'

function exchange(pair: Pair, client: Peer): void {
  const id = client.send(pattern(3000))
  pair.network.turnAll()
  pair.network.run(() => client.finished.has(id))
}

describe('a second connection', () => {
  for (const provider of providers) {
    for (const groups of [[0x001d], undefined] as const) {
      it(`resumes, ${provider.name}, groups ${groups?.join() ?? 'by default'}`, () => {
        const sessions = new MemorySessionStore()
        const tickets = new ServerTickets(provider, {})
        const pair = new Pair({ provider, clientTls: { sessions, groups }, serverTls: { tickets } }).establish().settle()
        expect(pair.client.connection.handshakeInfo()?.resumed).toBe(false)
        expect(sessions.size).toBe(2)
        exchange(pair, pair.client)
        const second = pair.connect('second', '10.0.0.3:5000')
        pair.network.turnAll()
        pair.network.run(() => second.connection.isConfirmed())
        expect(second.connection.handshakeInfo()).toMatchObject({ resumed: true, signatureScheme: null })
        expect(pair.servers[1]?.connection.handshakeInfo()?.resumed).toBe(true)
        exchange(pair, second)
      })
    }
  }

  it('resumes whichever datagram is lost on the way, tickets included', () => {
    for (let k = 1; k <= 10; k += 1) {
      const sessions = new MemorySessionStore()
      const options = { clientTls: { sessions, groups: undefined }, serverTls: { tickets: new ServerTickets(providers[0]!, {}) } }
      const pair = new Pair({ ...options, seed: k, scenario: `datagram ${k} of both sides is lost` })
      const count = new Map<string, number>()
      pair.network.setFilter((bytes, from) => {
        count.set(from, (count.get(from) ?? 0) + 1)
        return count.get(from) === k ? null : bytes
      })
      pair.establish().settle()
      expect(sessions.size).toBe(2)
      count.clear()
      const second = pair.connect('second', '10.0.0.3:5000')
      pair.network.turnAll()
      pair.network.run(() => second.connection.isConfirmed())
      expect(second.connection.handshakeInfo()?.resumed).toBe(true)
    }
  })
})
