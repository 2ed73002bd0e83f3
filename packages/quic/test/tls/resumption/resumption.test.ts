// Session tickets and resumption. RFC 9846 §2.2, §4.3.9, §4.3.11, §4.7.1; RFC 9001 §4.5.

import { describe, expect, it, vi } from 'vitest'
import { concatBytes } from '../../../src/base/bytes.ts'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { nobleProvider } from '../../../src/crypto/noble/index.ts'
import { MemorySessionStore } from '../../../src/tls/resumption/session-store.ts'
import type { StoredSession } from '../../../src/tls/resumption/session-store.ts'
import { ServerTickets } from '../../../src/tls/resumption/server-tickets.ts'
import type { OpenedTicket } from '../../../src/tls/resumption/server-tickets.ts'
import { issue } from '../certificates/authority.ts'
import { codeOf, LEAF, reframe, rewrite, ROOT, SERVER_PARAMETERS, type Hand, type Pair } from '../handshake.ts'
import { Acquaintance, names } from './pairs.ts'

const DAY = 86_400_000

function outcome(pair: Pair): string {
  if (pair.failedSide !== null) return `${pair.failedSide}: ${codeOf(pair.failure)}`
  if (!pair.complete) return 'incomplete'
  expect(pair.server.info()?.resumed).toBe(pair.client.info()?.resumed)
  return pair.client.info()?.resumed === true ? 'resumed' : 'full'
}

describe('resumption', () => {
  for (const client of [nodeProvider, nobleProvider]) {
    for (const server of [nodeProvider, nobleProvider]) {
      for (const suite of [0x1301, 0x1302, 0x1303] as const) {
        it(`${client.name} to ${server.name}, suite ${suite.toString(16)}`, () => {
          const both = new Acquaintance()
          both.client = { provider: client, cipherSuites: [suite] }
          both.server = { provider: server }
          expect(outcome(both.meet())).toBe('full')
          expect(outcome(both.meet())).toBe('resumed')
        })
      }
    }
  }

  it('sends no certificates, and gives tickets after the handshake, on a resumed connection too (RFC 9846 §2.2)', () => {
    const both = new Acquaintance()
    both.meet()
    both.now += 5000
    const pair = both.meet()
    expect(names(pair.clientEvents)).toEqual([
      'crypto 0 1', 'keys 2 read', 'keys 2 write', 'peer-parameters', 'crypto 2 20', 'keys 3 write', 'keys 3 read', 'complete',
    ])
    expect(names(pair.serverEvents)).toEqual([
      'peer-parameters', 'crypto 0 2', 'keys 2 write', 'keys 2 read', 'crypto 2 8', 'crypto 2 20', 'keys 3 write',
      'keys 3 read', 'complete', 'crypto 3 4', 'crypto 3 4',
    ])
    // One of two was used, two are new.
    expect(both.store.size).toBe(3)
  })

  it('tells what was negotiated, with the certificates of the first handshake', () => {
    const both = new Acquaintance()
    both.meet()
    const pair = both.meet()
    expect(pair.client.info()).toMatchObject({ resumed: true, signatureScheme: null, peerCertificates: [LEAF.der], serverName: 'localhost' })
    expect(pair.server.info()).toMatchObject({ resumed: true, signatureScheme: null, peerCertificates: [], serverName: 'localhost' })
  })

  it('has secrets of its own every time: the key exchange is never left out (psk_dhe_ke)', () => {
    const both = new Acquaintance()
    both.meet()
    const secrets = [both.meet(), both.meet(), both.meet()].map((pair) => {
      const material = pair.client.exportKeyingMaterial('EXPORTER-test', new Uint8Array(0), 32)
      expect(pair.server.exportKeyingMaterial('EXPORTER-test', new Uint8Array(0), 32)).toEqual(material)
      return String(material)
    })
    expect(new Set(secrets).size).toBe(3)
  })

  it('stores what belongs to the ticket', () => {
    const both = new Acquaintance({ lifetimeSeconds: 1234 })
    both.meet({ earlyDataContext: Uint8Array.of(5) })
    const session = both.store.take('localhost')!
    expect(session).toMatchObject({
      cipherSuite: 0x1301,
      alpn: 'h3',
      serverName: 'localhost',
      receivedAt: both.now,
      lifetimeSeconds: 1234,
      earlyData: false,
      peerParameters: SERVER_PARAMETERS,
      earlyDataContext: Uint8Array.of(5),
      peerCertificates: [LEAF.der],
      verified: true,
    })
    const other = both.store.take('localhost')!
    expect(other.ticket).not.toEqual(session.ticket)
    expect(other.psk).not.toEqual(session.psk)
    expect(other.ageAdd).not.toBe(session.ageAdd)
  })

  it('uses every ticket once (RFC 9846 Appendix C.4)', () => {
    const both = new Acquaintance()
    both.meet()
    const tickets: string[] = []
    for (let i = 0; i < 3; i++) {
      both.meet({}, {}, (from, level, bytes) => {
        if (from === 'client' && level === 0) tickets.push(String(bytes.slice(-270)))
        return [bytes]
      })
    }
    expect(new Set(tickets).size).toBe(3)
  })

  it('passes a HelloRetryRequest: age and binder anew, over the substituted transcript (RFC 9846 §4.3.11.2)', () => {
    for (const suite of [0x1301, 0x1302] as const) {
      const both = new Acquaintance({}, { cipherSuites: [suite] })
      both.meet()
      const pair = both.meet({ groups: [0x0018, 0x001d] }, { groups: [0x001d] })
      expect(outcome(pair)).toBe('resumed')
      expect(pair.client.info()?.helloRetry).toBe(true)
    }
  })

  it('goes on with another suite of the same hash, and starts anew with another hash (RFC 9846 §4.7.1)', () => {
    for (const [suite, expected] of [[0x1303, 'resumed'], [0x1302, 'full']] as const) {
      const both = new Acquaintance()
      both.meet()
      const pair = both.meet({}, { cipherSuites: [suite] })
      expect(`${suite} ${outcome(pair)}`).toBe(`${suite} ${expected}`)
      const other = new Acquaintance()
      other.meet()
      const retried = other.meet({ groups: [0x0018, 0x001d] }, { cipherSuites: [suite], groups: [0x001d] })
      expect(`${suite} ${outcome(retried)}`).toBe(`${suite} ${expected}`)
    }
  })

  it('serves a client that cannot or will not resume', () => {
    const both = new Acquaintance()
    both.meet()
    expect(outcome(both.meet({ sessions: undefined }))).toBe('full')
    expect(outcome(both.meet({}, { tickets: undefined }))).toBe('full')
    expect(names(both.meet({ sessions: undefined }).serverEvents)).not.toContain('crypto 3 4')
  })
})

describe('a server', () => {
  it('takes the tickets of another one with the same keys, and of its own former keys', () => {
    const a = new Uint8Array(32).fill(1)
    const b = new Uint8Array(32).fill(2)
    const c = new Uint8Array(32).fill(3)
    const both = new Acquaintance({ keys: [a] })
    both.meet()
    const other = new ServerTickets(nodeProvider, { keys: [b, a] })
    expect(outcome(both.meet({}, { tickets: other }))).toBe('resumed')
    other.setKeys([c, b])
    expect(outcome(both.meet({}, { tickets: other }))).toBe('resumed')
    other.setKeys([c])
    const store = new MemorySessionStore()
    both.meet({ sessions: store }, { tickets: new ServerTickets(nodeProvider, { keys: [b] }) })
    expect(outcome(both.meet({ sessions: store }, { tickets: other }))).toBe('full')
  })

  it('refuses tickets beyond their lifetime, and all that grew from a certificate shown a week ago', () => {
    const both = new Acquaintance({ lifetimeSeconds: 3600 })
    both.meet()
    both.now += 3_601_000
    // A client that does not look at the clock.
    both.alter((session) => ({ ...session, lifetimeSeconds: 604_800 }))
    expect(outcome(both.meet())).toBe('full')

    const chain = new Acquaintance({ lifetimeSeconds: 604_800 })
    chain.meet()
    const outcomes: string[] = []
    for (let day = 2; day <= 10; day += 2) {
      chain.now += 2 * DAY
      outcomes.push(outcome(chain.meet()))
    }
    expect(outcomes).toEqual(['resumed', 'resumed', 'resumed', 'full', 'resumed'])
  })

  it('refuses a ticket given for another name (RFC 6066 §3)', () => {
    const both = new Acquaintance()
    both.client = { verify: { mode: 'insecure' } }
    both.meet()
    both.alter((session) => ({ ...session, serverName: 'other.example' }))
    both.store.put('other.example', both.store.take('localhost')!)
    const opening = vi.spyOn(both.tickets, 'open')
    expect(outcome(both.meet({ serverName: 'other.example' }))).toBe('full')
    // What was in it is not left in memory either.
    expect(opening.mock.results.map(({ value }) => (value as OpenedTicket).content.psk)).toEqual([new Uint8Array(32)])
  })

  it('answers a wrong binder with decrypt_error, and an unknown ticket with a full handshake (RFC 9846 §4.3.11)', () => {
    const both = new Acquaintance()
    both.meet()
    const spoilt = rewrite('client', 1, (body) => {
      body[body.length - 1]! ^= 1
      return body
    })
    expect(outcome(both.meet({}, {}, spoilt))).toBe('server: alert 51')
    both.meet()
    both.alter((session) => ({ ...session, psk: session.psk.map((byte) => byte ^ 1) }))
    expect(outcome(both.meet())).toBe('server: alert 51')
    both.meet()
    both.alter((session) => ({ ...session, ticket: session.ticket.map((byte) => byte ^ 1) }))
    expect(outcome(both.meet())).toBe('full')
  })

  it('gives as many tickets as configured, with nonces and secrets of their own', () => {
    for (const count of [0, 1, 8]) {
      const both = new Acquaintance({ count })
      both.meet({ sessions: new MemorySessionStore() })
      const seen: string[] = []
      both.meet({}, {}, (from, level, bytes) => {
        if (from === 'server' && level === 3) seen.push(String(bytes.slice(8, 14)))
        return [bytes]
      })
      expect(new Set(seen).size).toBe(count)
    }
  })

  it('is refused settings that cannot work', () => {
    const usage = expect.objectContaining({ code: 'ERR_TLS_USAGE' })
    expect(() => new ServerTickets(nodeProvider, { lifetimeSeconds: 604_801 })).toThrow(usage)
    expect(() => new ServerTickets(nodeProvider, { count: 9 })).toThrow(usage)
    expect(() => new ServerTickets(nodeProvider, { keys: [] })).toThrow(usage)
    expect(() => new ServerTickets(nodeProvider, { keys: [new Uint8Array(16)] })).toThrow(usage)
  })
})

describe('a client', () => {
  it('drops sessions that are too old, from the future, for another name, or of a suite it does not offer', () => {
    const changes: [string, (session: StoredSession) => StoredSession][] = [
      ['old', (session) => ({ ...session, receivedAt: session.receivedAt - session.lifetimeSeconds * 1000 })],
      ['very old', (session) => ({ ...session, lifetimeSeconds: 700_000, receivedAt: session.receivedAt - 604_800_000 })],
      ['future', (session) => ({ ...session, receivedAt: session.receivedAt + 1000 })],
      ['name', (session) => ({ ...session, serverName: 'other.example' })],
      ['certificate', (session) => ({ ...session, peerCertificates: [Uint8Array.of(1)] })],
      ['no certificate', (session) => ({ ...session, peerCertificates: [] })],
      ['suite', (session) => ({ ...session, cipherSuite: 0x1302 })],
    ]
    for (const [name, change] of changes) {
      const both = new Acquaintance({}, { cipherSuites: [0x1301, 0x1303] })
      both.meet()
      both.alter(change)
      expect(`${name}: ${outcome(both.meet())}`).toBe(`${name}: full`)
    }
  })

  it('that verifies does not resume what was not verified, is expired, or is for another name', () => {
    const both = new Acquaintance()
    both.meet({ verify: { mode: 'insecure' } })
    expect(outcome(both.meet())).toBe('full')
    // The certificates of the first handshake stay with the session, and so does their end.
    const later = issue({ issuer: ROOT }).der
    const verify = { mode: 'chain' as const, roots: [ROOT.der], unixTimeMs: Date.UTC(2126, 0, 1) }
    both.alter((session) => ({ ...session, peerCertificates: [later] }))
    expect(outcome(both.meet({ verify }))).toBe('client: alert 45')
    // A session that was verified stays so for one that does not look.
    const again = new Acquaintance()
    again.meet()
    expect(outcome(again.meet({ verify: { mode: 'insecure' } }))).toBe('resumed')
    expect(again.store.take('localhost')?.verified).toBe(true)
  })

  it('refuses a server that takes a key nobody offered, or one of another hash (RFC 9846 §4.3.11)', () => {
    const both = new Acquaintance()
    both.meet()
    const index = rewrite('server', 2, (body) => {
      body[body.length - 1] = 1
      return body
    })
    expect(outcome(both.meet({}, {}, index))).toBe('client: alert 47')
    both.meet()
    const suite = rewrite('server', 2, (body) => {
      body[36] = 0x02
      return body
    })
    expect(outcome(both.meet({}, {}, suite))).toBe('client: alert 47')
    both.meet()
    // psk_ke: the key_share is gone.
    const withoutShare = rewrite('server', 2, (body) => {
      const extensions = Uint8Array.of(0, 43, 0, 2, 3, 4, 0, 41, 0, 2, 0, 0)
      return concatBytes(body.subarray(0, 38), Uint8Array.of(0, extensions.length), extensions)
    })
    expect(outcome(both.meet({}, {}, withoutShare))).toBe('client: alert 47')
  })

  it('refuses certificates and a certificate request on a resumed connection', () => {
    for (const type of [11, 13, 15]) {
      const both = new Acquaintance()
      both.meet()
      const hand: Hand = (from, _level, bytes) => (from === 'server' && bytes[0] === 20 ? [reframe(type, new Uint8Array(8)), bytes] : [bytes])
      expect(outcome(both.meet({}, {}, hand))).toBe('client: alert 10')
    }
  })

  it('forgets tickets with no lifetime, takes an extra one with unknown extensions, and caps a long life (RFC 9846 §4.7.1)', () => {
    const both = new Acquaintance({ count: 1 })
    const with4 = (lifetime: number): Hand =>
      rewrite('server', 4, (body) => {
        new DataView(body.buffer).setUint32(0, lifetime)
        return body
      })
    both.meet({}, {}, with4(0))
    expect(both.store.size).toBe(0)
    both.meet({}, {}, with4(0xffffffff))
    expect(both.store.take('localhost')?.lifetimeSeconds).toBe(604_800)
    const grease = rewrite('server', 4, (body) => concatBytes(body.subarray(0, -2), Uint8Array.of(0, 5, 0x1a, 0x1a, 0, 1, 9)))
    both.meet({}, {}, grease)
    expect(both.store.size).toBe(1)
  })
})

describe('pre_shared_key in a ClientHello (RFC 9846 §4.3.11)', () => {
  /** Replaces the body of the last extension, which is pre_shared_key, and mends all the lengths. */
  const withPsk = (build: (body: Uint8Array) => Uint8Array): Hand =>
    rewrite('client', 1, (body) => {
      const start = 37 + ((body[35]! << 8) | body[36]!) + 2
      let at = start + 2
      while (((body[at]! << 8) | body[at + 1]!) !== 41) at += 4 + ((body[at + 2]! << 8) | body[at + 3]!)
      const psk = build(body.slice(at + 4))
      const changed = concatBytes(body.subarray(0, at + 2), Uint8Array.of(psk.length >> 8, psk.length & 255), psk)
      changed.set([(changed.length - start - 2) >> 8, (changed.length - start - 2) & 255], start)
      return changed
    })

  it('is checked in form: lists, lengths, one binder per identity', () => {
    const cases: [string, (body: Uint8Array) => Uint8Array, string][] = [
      ['empty', () => new Uint8Array(0), 'alert 50'],
      ['no identity', () => concatBytes(Uint8Array.of(0, 0, 0, 33, 32), new Uint8Array(32)), 'alert 50'],
      ['empty identity', () => concatBytes(Uint8Array.of(0, 6, 0, 0, 0, 0, 0, 0, 0, 33, 32), new Uint8Array(32)), 'alert 50'],
      ['no binder', () => Uint8Array.of(0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 0), 'alert 47'],
      ['short binder', () => concatBytes(Uint8Array.of(0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 32, 31), new Uint8Array(31)), 'alert 50'],
      ['two binders', (body) => twoBinders(body), 'alert 47'],
      ['left over', (body) => concatBytes(body, Uint8Array.of(0)), 'alert 50'],
      ['cut', (body) => body.slice(0, -1), 'alert 50'],
    ]
    for (const [name, build, expected] of cases) {
      const both = new Acquaintance()
      both.meet()
      expect(`${name}: ${outcome(both.meet({}, {}, withPsk(build)))}`).toBe(`${name}: server: ${expected}`)
    }
  })

  it('of an unknown identity with any binder is ignored: the transcripts differ only at the client', () => {
    const both = new Acquaintance()
    both.meet()
    const stranger = withPsk(() => concatBytes(Uint8Array.of(0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 33, 32), new Uint8Array(32)))
    expect(outcome(both.meet({}, {}, stranger))).toBe('client: alert 51')
  })
})

function twoBinders(body: Uint8Array): Uint8Array {
  const identities = 2 + ((body[0]! << 8) | body[1]!)
  const binders = body.subarray(identities + 2)
  return concatBytes(body.subarray(0, identities), Uint8Array.of(0, 2 * binders.length), binders, binders)
}

describe('MemorySessionStore', () => {
  const session = (n: number): StoredSession => ({
    ticket: Uint8Array.of(n), psk: new Uint8Array(32), cipherSuite: 0x1301, alpn: 'h3', serverName: 'a', receivedAt: 0, lifetimeSeconds: 1,
    ageAdd: 0, earlyData: false, peerParameters: new Uint8Array(0), earlyDataContext: new Uint8Array(0), peerCertificates: [], verified: true,
  })

  it('gives the newest first and each once, within its bounds', () => {
    const store = new MemorySessionStore({ origins: 2, sessionsPerOrigin: 3 })
    for (let n = 0; n < 5; n++) store.put('a', session(n))
    expect(store.size).toBe(3)
    expect([1, 2, 3, 4].map(() => store.take('a')?.ticket[0])).toEqual([4, 3, 2, undefined])
    store.put('a', session(1))
    store.put('b', session(2))
    store.put('a', session(3))
    store.put('c', session(4))
    expect(store.take('b')).toBeNull()
    expect(store.size).toBe(3)
  })
})
