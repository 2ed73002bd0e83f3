// Early data as TLS sees it: who offers, who takes, in which order the owner hears of it. RFC 9846 §2.3, §4.3.10, §8; RFC 9001 §4.6.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { nobleProvider } from '../../../src/crypto/noble/index.ts'
import { concatBytes } from '../../../src/base/bytes.ts'
import type { TlsConfig } from '../../../src/tls/engine.ts'
import { TlsEngine } from '../../../src/tls/engine.ts'
import { MemoryReplayRegister } from '../../../src/tls/resumption/replay-register.ts'
import { ServerTickets } from '../../../src/tls/resumption/server-tickets.ts'
import { decodeClientHello } from '../../../src/tls/codec/client-hello.ts'
import { codeOf, rewrite, SERVER_PARAMETERS, serverConfig, type Pair } from '../handshake.ts'
import { earlyAcquaintance, names, secretOf, type Acquaintance } from './pairs.ts'

/** What both sides say about the early data; they must agree. */
function verdict(pair: Pair): string {
  if (pair.failedSide !== null) return `${pair.failedSide}: ${codeOf(pair.failure)}`
  const of = (list: string[]): string => list.filter((name) => name.startsWith('early-data')).join() || 'nothing'
  const client = of(names(pair.clientEvents))
  expect(of(names(pair.serverEvents))).toBe(client)
  expect(pair.complete).toBe(true)
  const accepted = client === 'early-data accepted'
  expect(pair.client.info()?.earlyData).toBe(accepted)
  expect(pair.server.info()?.earlyData).toBe(accepted)
  expect(secretOf(pair.serverEvents, 1, 'read') !== null).toBe(accepted)
  if (accepted) expect(secretOf(pair.serverEvents, 1, 'read')).toEqual(secretOf(pair.clientEvents, 1, 'write'))
  return client
}

function again(both: Acquaintance, client: Partial<TlsConfig> = {}, server: Partial<TlsConfig> = {}): string {
  return verdict(both.meet(client, server))
}

describe('early data', () => {
  for (const client of [nodeProvider, nobleProvider]) {
    for (const server of [nodeProvider, nobleProvider]) {
      for (const suite of [0x1301, 0x1302, 0x1303] as const) {
        it(`is taken: ${client.name} to ${server.name}, suite ${suite.toString(16)}`, () => {
          const both = earlyAcquaintance()
          both.client = { ...both.client, provider: client, cipherSuites: [suite] }
          both.server = { ...both.server, provider: server }
          expect(again(both)).toBe('nothing')
          both.now += 1234
          expect(again(both)).toBe('early-data accepted')
        })
      }
    }
  }

  it('comes in this order: the key right behind the ClientHello; the answer before the parameters on a client, after them on a server', () => {
    const both = earlyAcquaintance()
    both.meet()
    const pair = both.meet()
    expect(names(pair.clientEvents)).toEqual([
      'crypto 0 1', 'keys 1 write', 'keys 2 read', 'keys 2 write', 'early-data accepted', 'peer-parameters', 'crypto 2 20',
      'keys 3 write', 'keys 3 read', 'complete',
    ])
    expect(names(pair.serverEvents)).toEqual([
      'peer-parameters', 'early-data accepted', 'keys 1 read', 'crypto 0 2', 'keys 2 write', 'keys 2 read', 'crypto 2 8', 'crypto 2 20',
      'keys 3 write', 'keys 3 read', 'complete', 'crypto 3 4', 'crypto 3 4',
    ])
  })

  it('shows the session it stands on, and hands the context of the ticket to the server', () => {
    const both = earlyAcquaintance()
    const seen: Uint8Array[] = []
    both.server = {
      ...both.server,
      earlyDataContext: Uint8Array.of(1, 2, 3),
      acceptEarlyData: (context) => {
        seen.push(context)
        return true
      },
    }
    both.meet({ earlyDataContext: Uint8Array.of(7) })
    const pair = both.meet()
    expect(seen).toEqual([Uint8Array.of(1, 2, 3)])
    const session = pair.client.earlySession()
    expect(session).toMatchObject({ alpn: 'h3', peerParameters: SERVER_PARAMETERS, earlyDataContext: Uint8Array.of(7) })
    expect(pair.server.earlySession()).toBeNull()
  })

  it('takes the context late, on both sides', () => {
    const both = earlyAcquaintance()
    const seen: Uint8Array[] = []
    both.server = { ...both.server, acceptEarlyData: (context) => seen.push(context) > 0 }
    const pair = both.begin()
    pair.client.setEarlyDataContext(Uint8Array.of(1))
    pair.server.setEarlyDataContext(Uint8Array.of(2))
    expect(() => pair.server.setEarlyDataContext(new Uint8Array(4097))).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    pair.run()
    const next = both.meet()
    expect(verdict(next)).toBe('early-data accepted')
    expect(next.client.earlySession()?.earlyDataContext).toEqual(Uint8Array.of(1))
    expect(seen).toEqual([Uint8Array.of(2)])
  })

  it('logs CLIENT_EARLY_TRAFFIC_SECRET on both sides, under the same random', () => {
    const both = earlyAcquaintance()
    both.meet()
    const lines: string[][] = [[], []]
    both.meet({ keylog: (line) => lines[0]!.push(line) }, { keylog: (line) => lines[1]!.push(line) })
    expect(lines[0]![0]).toMatch(/^CLIENT_EARLY_TRAFFIC_SECRET [0-9a-f]{64} [0-9a-f]{64}$/)
    expect(lines[1]).toEqual(lines[0])
  })
})

describe('a client offers early data only', () => {
  const offered = (both: Acquaintance, client: Partial<TlsConfig> = {}): boolean => secretOf(both.meet(client).clientEvents, 1, 'write') !== null

  it('when asked to, with a ticket that allows it, and with its protocol and suite on offer', () => {
    const fresh = (settings = {}): Acquaintance => {
      const both = earlyAcquaintance(settings)
      both.meet()
      return both
    }
    expect(offered(fresh())).toBe(true)
    expect(offered(fresh(), { earlyData: false })).toBe(false)
    expect(offered(fresh({ earlyData: false }))).toBe(false)
    expect(offered(fresh(), { cipherSuites: [0x1303] })).toBe(false)
    const both = earlyAcquaintance({}, { alpn: ['h3', 'h4'] })
    both.meet()
    expect(offered(both, { alpn: ['h4'] })).toBe(false)
  })
})

describe('a server refuses early data, and resumes all the same', () => {
  const REJECTED = 'early-data rejected'

  it('when the owner does not accept it or is not asked', () => {
    const both = earlyAcquaintance()
    both.meet()
    expect(again(both, {}, { acceptEarlyData: undefined })).toBe(REJECTED)
    expect(again(both, {}, { acceptEarlyData: () => false })).toBe(REJECTED)
    expect(again(both)).toBe('early-data accepted')
  })

  it('when tickets no longer allow it', () => {
    const keys = [new Uint8Array(32).fill(9)]
    const both = earlyAcquaintance({ keys })
    both.meet()
    expect(again(both, {}, { tickets: new ServerTickets(nodeProvider, { keys }) })).toBe(REJECTED)
  })

  it('when suite or protocol change (RFC 9846 §4.3.10)', () => {
    const both = earlyAcquaintance({}, { alpn: ['h3', 'h4'] })
    both.meet()
    expect(again(both, {}, { cipherSuites: [0x1303] })).toBe(REJECTED)
    both.meet()
    both.alter((session) => ({ ...session, earlyData: true }))
    expect(again(both, {}, { alpn: ['h4'] })).toBe(REJECTED)
  })

  it('when the age is beyond tolerance, either way (RFC 9846 §8.3)', () => {
    for (const [error, expected] of [[-10_001, REJECTED], [-9_999, 'early-data accepted'], [9_999, 'early-data accepted'], [10_001, REJECTED]] as const) {
      const both = earlyAcquaintance()
      both.meet()
      both.now += 60_000
      both.alter((session) => ({ ...session, receivedAt: session.receivedAt + error }))
      expect(`${error}: ${again(both)}`).toBe(`${error}: ${expected}`)
    }
  })

  it('with a HelloRetryRequest, and says so at once (RFC 9001 §4.6.2)', () => {
    const both = earlyAcquaintance()
    both.meet()
    const pair = both.meet({ groups: [0x0018, 0x001d] }, { groups: [0x001d] })
    expect(verdict(pair)).toBe(REJECTED)
    expect(names(pair.clientEvents).slice(0, 4)).toEqual(['crypto 0 1', 'keys 1 write', 'early-data rejected', 'crypto 0 1'])
    expect(names(pair.serverEvents).slice(0, 2)).toEqual(['early-data rejected', 'crypto 0 2'])
    expect(pair.client.info()?.resumed).toBe(true)
  })

  it('when the ticket is not taken at all', () => {
    const both = earlyAcquaintance()
    both.meet()
    const pair = both.meet({}, { tickets: new ServerTickets(nodeProvider, { earlyData: true }) })
    expect(verdict(pair)).toBe(REJECTED)
    expect(pair.client.info()?.resumed).toBe(false)
  })

  it('seen before, however often it is repeated (RFC 9846 §8.2)', () => {
    const both = earlyAcquaintance()
    both.meet()
    let hello = new Uint8Array(0)
    both.meet({}, {}, (from, level, bytes) => {
      if (from === 'client' && level === 0) hello = bytes.slice()
      return [bytes]
    })
    for (let i = 0; i < 3; i++) {
      const server = new TlsEngine(serverConfig({ ...both.server, tickets: both.tickets, timeOrigin: both.now + i }))
      server.receive(0, hello)
      const events = []
      for (let event = server.poll(); event !== null; event = server.poll()) events.push(event)
      expect(names(events)).toContain('early-data rejected')
      expect(names(events)).not.toContain('keys 1 read')
    }
  })

  it('that an earlier process with the same keys may have taken (RFC 9846 §8.2)', () => {
    const keys = [new Uint8Array(32).fill(9)]
    const both = earlyAcquaintance({ keys })
    both.meet()
    both.now += 5000
    const restarted = new ServerTickets(nodeProvider, { keys, earlyData: true, startedAt: both.now - 1 })
    expect(again(both, {}, { tickets: restarted })).toBe(REJECTED)
    both.now += 10_000
    expect(again(both, {}, { tickets: restarted })).toBe('early-data accepted')
  })
})

describe('what a peer must not do with early data', () => {
  it('a server takes it without the session, or without having been asked', () => {
    const accept = rewrite('server', 8, (body) => {
      const changed = concatBytes(body, Uint8Array.of(0, 42, 0, 0))
      changed.set([(changed.length - 2) >> 8, (changed.length - 2) & 255])
      return changed
    })
    const both = earlyAcquaintance()
    expect(verdict(both.meet({}, {}, accept))).toBe('client: alert 110')
    both.meet()
    const unknown = new ServerTickets(nodeProvider, {})
    expect(verdict(both.meet({}, { tickets: unknown }, accept))).toBe('client: alert 47')
    both.meet()
    expect(verdict(both.meet({}, { cipherSuites: [0x1303] }, accept))).toBe('client: alert 47')
  })

  it('a client repeats it after a HelloRetryRequest (RFC 9846 §4.3.10)', () => {
    const both = earlyAcquaintance()
    both.meet()
    let hellos = 0
    const early = rewrite('client', 1, (body) => {
      if (++hellos !== 2) return body
      const start = 37 + ((body[35]! << 8) | body[36]!) + 2
      const length = ((body[start]! << 8) | body[start + 1]!) + 4
      const changed = concatBytes(body.subarray(0, start + 2), Uint8Array.of(0, 42, 0, 0), body.subarray(start + 2))
      changed.set([length >> 8, length & 255], start)
      return changed
    })
    expect(verdict(both.meet({ groups: [0x0018, 0x001d] }, { groups: [0x001d] }, early))).toBe('server: alert 47')
  })

  it('early_data says nothing: bytes in it are a decode_error', () => {
    const both = earlyAcquaintance()
    both.meet()
    const full = rewrite('client', 1, (body) => {
      const start = 37 + ((body[35]! << 8) | body[36]!) + 2
      const length = ((body[start]! << 8) | body[start + 1]!) + 1
      let at = start + 2
      while (((body[at]! << 8) | body[at + 1]!) !== 42) at += 4 + ((body[at + 2]! << 8) | body[at + 3]!)
      const changed = concatBytes(body.subarray(0, at + 3), Uint8Array.of(1, 0), body.subarray(at + 4))
      changed.set([length >> 8, length & 255], start)
      return changed
    })
    expect(verdict(both.meet({}, {}, full))).toBe('server: alert 50')
  })
})

describe('MemoryReplayRegister', () => {
  const id = (n: number): Uint8Array => new Uint8Array(32).fill(n)

  it('lets each id pass once while it lives, and forgets it after', () => {
    const register = new MemoryReplayRegister()
    expect(register.claim(id(1), 0, 100)).toBe(true)
    expect(register.claim(id(1), 100, 200)).toBe(false)
    expect(register.claim(id(2), 100, 200)).toBe(true)
    expect(register.claim(id(1), 101, 200)).toBe(true)
  })

  it('refuses rather than grows, and recovers', () => {
    const register = new MemoryReplayRegister(10)
    let taken = 0
    for (let n = 0; n < 30; n++) if (register.claim(id(n), n, n + 100)) taken++
    expect(taken).toBe(10)
    expect(register.size).toBe(10)
    expect(register.claim(id(99), 1000, 1100)).toBe(true)
    expect(register.size).toBe(1)
  })
})

describe('a second ClientHello of a resuming client', () => {
  it('keeps the ticket, and drops early_data', () => {
    const both = earlyAcquaintance()
    both.meet()
    const hellos: Uint8Array[] = []
    both.meet({ groups: [0x0018, 0x001d] }, { groups: [0x001d] }, (from, level, bytes) => {
      if (from === 'client' && level === 0) hellos.push(bytes)
      return [bytes]
    })
    const [first, second] = hellos.map((bytes) => decodeClientHello(bytes.subarray(4)))
    expect([first?.earlyData, second?.earlyData]).toEqual([true, false])
    expect(second?.psks?.identities).toEqual(first?.psks?.identities)
    expect(second?.psks?.binders).not.toEqual(first?.psks?.binders)
  })
})
