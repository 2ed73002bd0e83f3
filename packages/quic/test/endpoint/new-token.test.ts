// NEW_TOKEN: address validation for future connections (RFC 9000 §8.1.3, §8.1.4, §13.3, §19.7).

import { describe, expect, it } from 'vitest'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import { MAX_ADDRESS_TOKEN, MemoryTokenStore, ServerTokens } from '../../src/connection/handshake/token-store.ts'
import type { TokenStore } from '../../src/connection/handshake/token-store.ts'
import { PacketType, VERSION_1, VERSION_2 } from '../../src/wire/constants.ts'
import { CLIENT, SERVER } from '../connection/pair.ts'
import type { Peer } from '../connection/pair.ts'
import { Site } from './site.ts'
import type { SiteOptions } from './site.ts'

const DAY = 24 * 3600 * 1000

/** One connection that leaves its token in the store, and is gone. */
function visit(site: Site, store: TokenStore, address: string = CLIENT): Peer {
  const client = site.connect(address, store)
  site.confirm(client)
  site.network.runFor(200)
  client.connection.close(0, '', site.network.now)
  site.network.turnAll()
  site.network.runFor(3000)
  site.leave()
  return client
}

function closedWell(events: readonly ConnectionEvent[]): boolean {
  return events.some((event) => event.kind === 'confirmed')
}

/** Records what the policy was told about each attempt. */
function watched(options: SiteOptions = {}): { site: Site; validated: boolean[] } {
  const validated: boolean[] = []
  const site = new Site({
    ...options,
    policy: (incoming) => {
      validated.push(incoming.validated)
      return 'retry'
    },
  })
  return { site, validated }
}

describe('a token for the next connection (RFC 9000 §8.1.3)', () => {
  it('is given after the handshake, and saves the round trip of the Retry', () => {
    const { site, validated } = watched()
    const store = new MemoryTokenStore()
    visit(site, store)
    expect(store.size).toBe(1)
    const retries = site.retries().length
    expect(retries).toBeGreaterThan(0)
    const asked = validated.length
    site.confirm(site.connect(CLIENT, store))
    expect(site.retries()).toHaveLength(retries)
    expect(validated.slice(asked)).toEqual([true])
    expect(site.servers).toHaveLength(2)
  })

  it('lifts the amplification limit at once (§8.1)', () => {
    const firstAnswer = (site: Site, store: TokenStore): number => {
      const start = site.network.now
      site.confirm(site.connect(CLIENT, store))
      // One way takes 10 ms: the client's second flight cannot be there before 30 ms have passed.
      const flight = site.seen.filter((packet) => packet.from === SERVER && packet.time >= start && packet.time < start + 29)
      return flight.reduce((sum, packet) => sum + packet.bytes.length, 0)
    }
    const options = { bigCertificate: true }
    expect(firstAnswer(new Site(options), new MemoryTokenStore())).toBeLessThanOrEqual(7200)
    const site = new Site(options)
    const store = new MemoryTokenStore()
    visit(site, store)
    expect(firstAnswer(site, store)).toBeGreaterThan(7200)
  })

  it('is in every Initial of that connection, and used for one only (§8.1.3)', () => {
    const { site } = watched()
    const store = new MemoryTokenStore()
    visit(site, store)
    const token = store.take('test.example')!
    store.put('test.example', token)
    const before = site.initials().length
    const client = site.connect(CLIENT, store)
    // Nobody but the store could know it, and it does not any more.
    expect(store.size).toBe(0)
    site.confirm(client)
    for (const packet of site.initials().slice(before)) expect(packet.token).toEqual(token)
    site.network.runFor(100)
    expect(store.take('test.example')).not.toEqual(token)
  })

  it('gives way to the token of a Retry (§8.1.3)', () => {
    const { site } = watched({ newTokenLifetime: 1000 })
    const store = new MemoryTokenStore()
    visit(site, store)
    const before = site.seen.length
    site.confirm(site.connect(CLIENT, store))
    const initials = site.seen.slice(before).filter((packet) => packet.from === CLIENT && packet.type === PacketType.initial)
    const retry = site.seen.slice(before).find((packet) => packet.type === PacketType.retry)!
    expect(initials[0]!.token.length).toBeGreaterThan(0)
    expect(initials[0]!.token).not.toEqual(retry.token)
    expect(initials.at(-1)!.token).toEqual(retry.token)
  })

  it('a token of a Retry is never kept for later (§8.1.3)', () => {
    const kept: Uint8Array[] = []
    const { site } = watched()
    visit(site, { take: () => null, put: (_name, token) => void kept.push(token) })
    expect(kept).toHaveLength(1)
    for (const retry of site.retries()) expect(kept).not.toContainEqual(retry.token)
  })

  it('is repeated when it is lost, the same one (§13.3)', () => {
    const kept: Uint8Array[] = []
    const site = new Site()
    const client = site.connect(CLIENT, { take: () => null, put: (_name, token) => void kept.push(token) })
    // The packets with HANDSHAKE_DONE and NEW_TOKEN, whichever they are: all short ones for a while.
    site.network.run(() => client.connection.isEstablished())
    const from = site.network.now
    const isLost = (bytes: Uint8Array): boolean => (bytes[0]! & 0x80) === 0 && site.network.now < from + 300
    site.network.setFilter((bytes, sender) => (sender === SERVER && isLost(bytes) ? null : bytes))
    site.network.runFor(299)
    expect(kept).toHaveLength(0)
    site.network.runFor(3000)
    expect(kept.length).toBeGreaterThan(0)
    expect(new Set(kept.map((token) => token.join())).size).toBe(1)
  })

  it('differs from every other (§8.1.3)', () => {
    const tokens = new Set<string>()
    const site = new Site()
    for (let i = 0; i < 20; i += 1) visit(site, { take: () => null, put: (_name, token) => void tokens.add(token.join()) })
    expect(tokens.size).toBe(20)
  })

  it('is not given where its lifetime is 0', () => {
    const store = new MemoryTokenStore()
    visit(new Site({ newTokenLifetime: 0 }), store)
    expect(store.size).toBe(0)
  })

  it('is not asked of a store for a client without one', () => {
    const site = new Site()
    const client = site.connect()
    site.confirm(client)
    site.network.runFor(100)
    expect(closedWell(client.events)).toBe(true)
  })
})

describe('a NEW_TOKEN token that does not validate is ignored: the client is treated as without one (§8.1.3)', () => {
  /** How the connection after `change` was seen by the policy. The handshake succeeds in any case. */
  function secondVisit(options: SiteOptions, change: (site: Site, store: MemoryTokenStore) => string | void): boolean[] {
    const { site, validated } = watched(options)
    const store = new MemoryTokenStore()
    visit(site, store)
    const address = change(site, store) ?? CLIENT
    const before = validated.length
    const client = site.connect(address, store)
    site.confirm(client)
    return validated.slice(before)
  }

  const changeToken = (change: (token: Uint8Array) => Uint8Array) => (_site: Site, store: MemoryTokenStore) => {
    store.put('test.example', change(store.take('test.example')!))
  }

  it('unchanged, it counts (the control)', () => {
    expect(secondVisit({}, () => undefined)).toEqual([true])
  })

  it('expired on the virtual clock', () => {
    expect(secondVisit({ newTokenLifetime: DAY }, (site) => site.network.runFor(DAY - 60_000))[0]).toBe(true)
    expect(secondVisit({ newTokenLifetime: DAY }, (site) => site.network.runFor(DAY))[0]).toBe(false)
  })

  it('from another IP address (§8.1.4), while another port is fine (§8.1.3)', () => {
    expect(secondVisit({}, () => '10.0.0.77:5000')[0]).toBe(false)
    expect(secondVisit({}, () => '10.0.0.1:6000')).toEqual([true])
  })

  it('damaged, of another server, or bytes of any length', () => {
    for (const at of [0, 3, 4, 20, 40]) {
      expect(secondVisit({}, changeToken((token) => token.map((byte, i) => (i === at ? byte ^ 4 : byte))))[0]).toBe(false)
    }
    for (const length of [1, 4, 5, 44, 45, 200, MAX_ADDRESS_TOKEN]) {
      expect(secondVisit({}, changeToken(() => new Uint8Array(length).fill(0x71)))[0]).toBe(false)
    }
  })

  it('sealed with a key that has been taken away', () => {
    expect(secondVisit({}, (site) => site.endpoint.setTokenKeys([new Uint8Array(32).fill(9)]))[0]).toBe(false)
  })

  it('dressed up as a Retry token: the kinds are told apart (§8.1.1)', () => {
    const { site } = watched()
    const store = new MemoryTokenStore()
    visit(site, store)
    const retry = site.retries()[0]!
    const token = store.take('test.example')!
    // The mark of a Retry token before the sealed rest of the other kind.
    token.set(retry.token.subarray(0, 4))
    store.put('test.example', token)
    expect(site.end(site.connect(CLIENT, store))).toMatchObject({ cause: 'peer', code: 0x0b })
  })

  it('of a connection in another QUIC version (RFC 9369 §5); each version works by itself', () => {
    const cases = [[VERSION_2, VERSION_2, true], [VERSION_1, VERSION_2, false], [VERSION_2, VERSION_1, false]] as const
    for (const [first, second, counts] of cases) {
      const { site, validated } = watched()
      let token: Uint8Array | null = null
      // A store that does not keep versions apart, as a hostile client would not.
      const store: TokenStore = { take: () => token, put: (_name, given) => (token = given) }
      const client = site.connect(CLIENT, store, [first])
      site.confirm(client)
      expect(client.connection.version()).toBe(first)
      site.network.runFor(200)
      const before = validated.length
      site.confirm(site.connect('10.0.0.1:7777', store, [second]))
      expect(validated[before]).toBe(counts)
    }
  })

  it('a second time: replay of one token does not count (§8.1.4)', () => {
    const { site, validated } = watched()
    let token: Uint8Array | null = null
    const replaying: TokenStore = { take: () => token?.slice() ?? null, put: (_name, given) => (token ??= given) }
    visit(site, replaying)
    const before = validated.length
    visit(site, replaying)
    visit(site, replaying)
    expect(validated.slice(before).filter((yes) => !yes).length).toBeGreaterThan(0)
    // Once by the token, once by the Retry that followed its replay.
    expect(validated.slice(before).filter((yes) => yes)).toHaveLength(2)
    expect(validated[before]).toBe(true)
    expect(validated[before + 1]).toBe(false)
  })
})

describe('MemoryTokenStore', () => {
  const token = (n: number): Uint8Array => new Uint8Array(8).fill(n)

  it('hands out the newest first, each once', () => {
    const store = new MemoryTokenStore()
    store.put('a', token(1))
    store.put('a', token(2))
    store.put('b', token(3))
    expect(store.take('a')).toEqual(token(2))
    expect(store.take('a')).toEqual(token(1))
    expect(store.take('a')).toBeNull()
    expect(store.take('b')).toEqual(token(3))
    expect(store.size).toBe(0)
  })

  it('is bounded in servers, tokens per server and bytes per token; the oldest go', () => {
    const store = new MemoryTokenStore(3, 2)
    for (let i = 0; i < 100; i += 1) store.put('busy', token(i))
    expect([store.take('busy'), store.take('busy'), store.take('busy')]).toEqual([token(99), token(98), null])
    for (let server = 0; server < 100; server += 1) store.put(`s${server}`, token(1))
    expect(store.size).toBe(3)
    expect(store.take('s96')).toBeNull()
    expect(store.take('s97')).not.toBeNull()
    store.put('big', new Uint8Array(MAX_ADDRESS_TOKEN + 1))
    store.put('empty', new Uint8Array(0))
    expect(store.take('big')).toBeNull()
    expect(store.take('empty')).toBeNull()
  })

  it('keeps a copy', () => {
    const store = new MemoryTokenStore()
    const given = token(1)
    store.put('a', given)
    given.fill(9)
    expect(store.take('a')).toEqual(token(1))
  })

  it('a token too long for an Initial is neither kept nor sent', () => {
    const put: number[] = []
    const tooLong = new Uint8Array(MAX_ADDRESS_TOKEN + 1)
    const tokens = new ServerTokens({ take: () => tooLong, put: (_name, given) => void put.push(given.length) }, 'a')
    expect(tokens.take(1)).toHaveLength(0)
    tokens.put(new Uint8Array(MAX_ADDRESS_TOKEN + 1), 1)
    tokens.put(new Uint8Array(MAX_ADDRESS_TOKEN), 1)
    expect(put).toEqual([MAX_ADDRESS_TOKEN])
  })

  it('keeps the tokens of QUIC versions apart (RFC 9369 §5)', () => {
    const store = new MemoryTokenStore()
    const tokens = new ServerTokens(store, 'a')
    tokens.put(token(1), VERSION_1)
    tokens.put(token(2), VERSION_2)
    expect(store.size).toBe(2)
    expect([tokens.take(VERSION_2), tokens.take(VERSION_1), tokens.take(VERSION_1)]).toEqual([token(2), token(1), new Uint8Array(0)])
  })

  it('without a server name nothing is asked or kept', () => {
    const tokens = new ServerTokens(
      {
        take: () => {
          throw new Error('asked')
        },
        put: () => {
          throw new Error('told')
        },
      },
      undefined,
    )
    expect(tokens.take(1)).toHaveLength(0)
    tokens.put(token(1), 1)
  })
})
