// GREASE in ClientHello (RFC 8701), and the key shares a client sends of itself.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { nobleProvider } from '../../../src/crypto/noble/index.ts'
import { SeededRandom } from '../../../src/testing/seeded-random.ts'
import { open, vector16 } from '../../../src/tls/codec/block.ts'
import { decodeClientHello } from '../../../src/tls/codec/client-hello.ts'
import { TlsEngine, type TlsConfig } from '../../../src/tls/engine.ts'
import { GREASE_RANDOM_LENGTH, greaseFrom } from '../../../src/tls/extensions/grease.ts'
import { ExtensionSite, readExtensions } from '../../../src/tls/extensions/registry.ts'
import type { ExtensionBlock } from '../../../src/tls/extensions/registry.ts'
import { clientConfig, codeOf, failureOf, Pair, rewrite, serverConfig } from '../handshake.ts'

const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)

function helloOf(changes: Partial<TlsConfig>): Uint8Array {
  const engine = new TlsEngine(clientConfig({ grease: true, ...changes }))
  engine.start()
  const event = engine.poll()
  if (event === null || event.kind !== 'crypto') throw new Error('no ClientHello')
  return event.bytes.subarray(4)
}

function extensionsOf(body: Uint8Array): ExtensionBlock {
  const reader = open(body)
  reader.skip(34)
  reader.skip(reader.u8())
  vector16(reader)
  reader.skip(reader.u8())
  return readExtensions(reader, ExtensionSite.clientHello, [], 'ClientHello')
}

describe('greaseFrom', () => {
  it('gives reserved values only, and two different extensions (RFC 8701 §2)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: GREASE_RANDOM_LENGTH, maxLength: GREASE_RANDOM_LENGTH }), (random) => {
        const { encryptedHello: _, ...reserved } = greaseFrom(random)
        const values = Object.values(reserved)
        expect(values.every(isGrease)).toBe(true)
        expect(values[3]).not.toBe(values[4])
      }),
    )
  })
})

describe('a client', () => {
  it('sends a reserved cipher suite, group, share, version and two extensions, by default', () => {
    const body = helloOf({ grease: undefined })
    const hello = decodeClientHello(body)
    expect(hello.cipherSuites.filter(isGrease)).toHaveLength(1)
    expect(hello.groups.filter(isGrease)).toHaveLength(1)
    expect(hello.shares.filter(({ group }) => isGrease(group))).toEqual([{ group: hello.groups[0], key: Uint8Array.of(0) }])
    const { types, bodies } = extensionsOf(body)
    const greased = types.filter(isGrease)
    expect(greased.map((type) => bodies[types.indexOf(type)]!.length)).toEqual([0, 1])
    const versions = bodies[types.indexOf(43)]!
    expect(versions).toHaveLength(5)
    expect(isGrease((versions[1]! << 8) | versions[2]!)).toBe(true)
  })

  it('draws them from the injected random: the same hello for the same seed', () => {
    const hello = (seed: number): Uint8Array => helloOf({ random: new SeededRandom(seed), provider: nodeProvider, groups: [0x001d] })
    const values = (seed: number): number[] => decodeClientHello(hello(seed)).cipherSuites.slice(0, 1)
    expect(values(7)).toEqual(values(7))
    const seen = new Set(Array.from({ length: 40 }, (_, seed) => values(seed)[0]))
    expect(seen.size).toBeGreaterThan(5)
  })

  it('sends none when told not to', () => {
    const body = helloOf({ grease: false })
    const hello = decodeClientHello(body)
    expect([...hello.cipherSuites, ...hello.groups, ...extensionsOf(body).types].filter(isGrease)).toEqual([])
  })

  it('completes with a server that ignores them, through a HelloRetryRequest too', () => {
    for (const provider of [nodeProvider, nobleProvider]) {
      const plain = new Pair(clientConfig({ grease: true, provider }), serverConfig({ provider })).run()
      expect(plain.complete).toBe(true)
      const hellos: Uint8Array[] = []
      const retried = new Pair(
        clientConfig({ grease: true, provider, groups: [0x0018, 0x001d] }),
        serverConfig({ groups: [0x001d] }),
        (from, level, bytes) => {
          if (from === 'client' && level === 0) hellos.push(bytes)
          return [bytes]
        },
      ).run()
      expect(retried.complete).toBe(true)
      const [first, second] = hellos.map((bytes) => decodeClientHello(bytes.subarray(4)))
      expect({ ...second, shares: [] }).toEqual({ ...first, shares: [] })
      expect(second!.shares.map(({ group }) => group)).toEqual([0x001d])
    }
  })

  it('refuses a server that chooses one (RFC 8701 §3.1)', () => {
    for (const value of [0x0a0a, 0xfafa]) {
      const suite = rewrite('server', 2, (body) => {
        body.set([value >> 8, value & 0xff], 35)
        return body
      })
      expect(failureOf({ grease: true }, {}, suite)).toBe('client: alert 47')
    }
    const engine = new TlsEngine(clientConfig({ grease: true, groups: [0x001d] }))
    engine.start()
    const event = engine.poll()
    if (event?.kind !== 'crypto') throw new Error('no ClientHello')
    const greased = decodeClientHello(event.bytes.subarray(4)).groups[0]!
    const group = rewrite('server', 2, (body) => {
      // The group of a ServerHello of ours: behind fixed fields, supported_versions, and the head of key_share.
      body.set([greased >> 8, greased & 0xff], 50)
      return body
    })
    expect(failureOf({ grease: true, groups: [0x001d] }, {}, group)).toBe('client: alert 47')
  })
})

describe('key shares', () => {
  const shared = (changes: Partial<TlsConfig>): number[] => decodeClientHello(helloOf({ grease: false, ...changes })).shares.map(({ group }) => group)

  it('are for the hybrid and the next group by default, for the first group alone without a hybrid', () => {
    for (const provider of [nodeProvider, nobleProvider]) {
      expect(shared({ provider })).toEqual([0x11ec, 0x001d])
      expect(decodeClientHello(helloOf({ grease: false, provider })).groups).toEqual([0x11ec, 0x001d, 0x0017, 0x0018, 0x11eb])
    }
    expect(shared({ groups: [0x001d, 0x0017] })).toEqual([0x001d])
    expect(shared({ groups: [0x11ec] })).toEqual([0x11ec])
  })

  it('are as configured, and only for groups on offer', () => {
    expect(shared({ keyShares: [0x0017, 0x0018] })).toEqual([0x0017, 0x0018])
    expect(() => new TlsEngine(clientConfig({ groups: [0x001d], keyShares: [0x0017] }))).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    expect(() => new TlsEngine(clientConfig({ keyShares: [] }))).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
  })

  it('spare a server without the hybrid a round trip, and refuse a HelloRetryRequest for either', () => {
    const pair = new Pair(clientConfig(), serverConfig({ groups: [0x001d, 0x0017] })).run()
    expect(pair.client.info()).toMatchObject({ group: 0x001d, helloRetry: false })
    const retry = new Pair(clientConfig(), serverConfig({ groups: [0x0018] })).run()
    expect(retry.client.info()).toMatchObject({ group: 0x0018, helloRetry: true })
    for (const group of [0x11ec, 0x001d]) {
      const asked = rewrite('server', 2, (body) => {
        body.set([group >> 8, group & 0xff], body.length - 2)
        return body
      })
      const failed = new Pair(clientConfig(), serverConfig({ groups: [0x0018] }), asked).run()
      expect(`${failed.failedSide}: ${codeOf(failed.failure)}`).toBe('client: alert 47')
    }
  })

  it('of a length of their own are illegal_parameter', () => {
    const cut = rewrite('server', 2, (body) => {
      const length = body.length - 1
      const changed = body.slice(0, length)
      // Lengths of the extension block, of key_share, and of the key.
      for (const at of [38, 48, 52]) {
        const value = ((changed[at]! << 8) | changed[at + 1]!) - 1
        changed.set([value >> 8, value & 0xff], at)
      }
      return changed
    })
    expect(failureOf({}, {}, cut)).toBe('client: alert 47')
  })
})
