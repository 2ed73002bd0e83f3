// QUIC-LB connection IDs (draft-ietf-quic-load-balancers), generator against decoder and both against the draft's vectors.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RandomSource } from '../../../src/base/random.ts'
import { concatBytes, fromHex, toHex } from '../../../src/base/bytes.ts'
import type { QuicLbConfig } from '../../../src/cid/quic-lb/config.ts'
import { QuicLbDecoder } from '../../../src/cid/quic-lb/decoder.ts'
import { QuicLbGenerator } from '../../../src/cid/quic-lb/generator.ts'
import { SeededRandom } from '../../../src/testing/seeded-random.ts'
import { providerUnderTest, providers } from '../../crypto/provider-under-test.ts'

interface Vector {
  configId: number
  serverId: string
  nonce: string
  cid: string
}

const vectors = JSON.parse(readFileSync(new URL('../../../../../test-vectors/quic-lb/vectors.json', import.meta.url), 'utf8')) as {
  plaintext: Vector[]
  key: string
  encrypted: Vector[]
  example: Vector & { key: string }
}

/** Fills with the given bytes whenever as many are asked for, with zeros otherwise. */
function nonceOf(nonce: Uint8Array): RandomSource {
  return { fill: (destination) => void (destination.length === nonce.length ? destination.set(nonce) : destination.fill(0)) }
}

function configOf(vector: Vector, cipher: QuicLbConfig['cipher']): QuicLbConfig {
  return { configId: vector.configId, serverIdLength: vector.serverId.length / 2, nonceLength: vector.nonce.length / 2, cipher }
}

function expectVector(vector: Vector, cipher: QuicLbConfig['cipher']): void {
  const config = configOf(vector, cipher)
  const generator = new QuicLbGenerator({ config, serverId: fromHex(vector.serverId), random: nonceOf(fromHex(vector.nonce)) })
  expect(toHex(generator.generate())).toBe(vector.cid)
  const decoder = new QuicLbDecoder({ configs: [config], lengthIsEncoded: true })
  expect(toHex(decoder.serverId(fromHex(vector.cid))!)).toBe(vector.serverId)
}

describe.each(providers)('vectors of the draft over $name', (provider) => {
  it.each(vectors.plaintext)('§B.1 plaintext $cid', (vector) => expectVector(vector, null))
  it.each(vectors.encrypted)('§B.2 encrypted $cid', (vector) => expectVector(vector, provider.blockCipher(fromHex(vectors.key))))
  it('§5.4.2.4 four passes, step by step', () => expectVector(vectors.example, provider.blockCipher(fromHex(vectors.example.key))))
})

const cipher = providerUnderTest.blockCipher(new Uint8Array(16).fill(0x5a))

const lengths = fc
  .integer({ min: 1, max: 15 })
  .chain((serverIdLength) => fc.tuple(fc.constant(serverIdLength), fc.integer({ min: 4, max: 19 - serverIdLength })))
const configs = fc
  .tuple(fc.integer({ min: 0, max: 6 }), lengths, fc.boolean())
  .map(([configId, [serverIdLength, nonceLength], encrypted]): QuicLbConfig => {
    return { configId, serverIdLength, nonceLength, cipher: encrypted ? cipher : null }
  })

describe('generator and decoder', () => {
  it('agree for every legal configuration (§5.3)', () => {
    fc.assert(
      fc.property(configs, fc.boolean(), fc.nat(), (config, encodeLength, seed) => {
        const random = new SeededRandom(seed)
        const serverId = new Uint8Array(config.serverIdLength)
        random.fill(serverId)
        const generator = new QuicLbGenerator({ config, serverId, random, encodeLength })
        const decoder = new QuicLbDecoder({ configs: [config], lengthIsEncoded: encodeLength })
        for (let i = 0; i < 3; i += 1) {
          const connectionId = generator.generate()
          expect(connectionId).toHaveLength(1 + config.serverIdLength + config.nonceLength)
          expect(connectionId[0]! >> 5).toBe(config.configId)
          expect(decoder.serverId(connectionId)).toEqual(serverId)
        }
      }),
    )
  })

  it('hide the server ID with a key and change every connection ID (§9.6)', () => {
    fc.assert(
      fc.property(configs.filter((config) => config.cipher !== null && config.serverIdLength >= 4), fc.nat(), (config, seed) => {
        const random = new SeededRandom(seed)
        const serverId = new Uint8Array(config.serverIdLength).fill(0xab)
        const generator = new QuicLbGenerator({ config, serverId, random })
        const ids = Array.from({ length: 20 }, () => toHex(generator.generate()))
        expect(new Set(ids).size).toBe(20)
        for (const id of ids) expect(id).not.toContain(toHex(serverId))
      }),
    )
  })

  it('fill longer connection IDs with random bytes (§5.4)', () => {
    const config: QuicLbConfig = { configId: 1, serverIdLength: 2, nonceLength: 5, cipher }
    const generator = new QuicLbGenerator({ config, serverId: Uint8Array.of(1, 2), random: new SeededRandom(1), length: 12 })
    const one = generator.generate()
    const other = generator.generate()
    expect(one).toHaveLength(12)
    expect(one[0]! & 0x1f).toBe(11)
    expect(one.subarray(8)).not.toEqual(other.subarray(8))
    expect(new QuicLbDecoder({ configs: [config] }).serverId(one)).toEqual(Uint8Array.of(1, 2))
  })

  it('read the ID out of a datagram, long and short header (RFC 8999 §5)', () => {
    const config: QuicLbConfig = { configId: 4, serverIdLength: 3, nonceLength: 6, cipher }
    const serverId = Uint8Array.of(9, 8, 7)
    const connectionId = new QuicLbGenerator({ config, serverId, random: new SeededRandom(3) }).generate()
    const decoder = new QuicLbDecoder({ configs: [config], lengthIsEncoded: true })
    const long = concatBytes(fromHex('c36b3343cf'), Uint8Array.of(connectionId.length), connectionId, new Uint8Array(30))
    const short = concatBytes(Uint8Array.of(0x41), connectionId, new Uint8Array(30))
    expect(decoder.serverIdOfDatagram(long)).toEqual(serverId)
    expect(decoder.serverIdOfDatagram(short)).toEqual(serverId)
    // A nonce that reaches the end of the packet is still whole; one byte less is none.
    expect(decoder.serverIdOfDatagram(short.subarray(0, 1 + connectionId.length))).toEqual(serverId)
    expect(decoder.serverIdOfDatagram(short.subarray(0, connectionId.length))).toBeNull()
  })

  it('never throw over any bytes', () => {
    const decoder = new QuicLbDecoder({ configs: [{ configId: 0, serverIdLength: 10, nonceLength: 5, cipher }] })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const found = decoder.serverIdOfDatagram(bytes)
        expect(found === null || found.length === 10).toBe(true)
      }),
    )
  })
})

describe('unroutable connection IDs (§3.2, §4.1)', () => {
  const config: QuicLbConfig = { configId: 2, serverIdLength: 2, nonceLength: 4, cipher: null }

  it('are what a server without configuration makes, with their length', () => {
    const generator = new QuicLbGenerator({ config: null, serverId: new Uint8Array(0), random: new SeededRandom(1), encodeLength: false })
    expect(generator.isRoutable()).toBe(false)
    for (let i = 0; i < 5; i += 1) {
      const connectionId = generator.generate()
      expect(connectionId).toHaveLength(8)
      expect(connectionId[0]).toBe(0xe7)
      expect(new QuicLbDecoder({ configs: [config] }).serverId(connectionId)).toBeNull()
    }
  })

  it('are those of another configuration, those too short, and those that contradict their length', () => {
    const decoder = new QuicLbDecoder({ configs: [config], lengthIsEncoded: true })
    const good = fromHex('46aabb00000000')
    expect(toHex(decoder.serverId(good)!)).toBe('aabb')
    expect(decoder.serverId(fromHex('26aabb00000000'))).toBeNull()
    expect(decoder.serverId(good.subarray(0, 6))).toBeNull()
    expect(decoder.serverId(fromHex('47aabb00000000'))).toBeNull()
    expect(decoder.serverId(new Uint8Array(0))).toBeNull()
    expect(toHex(new QuicLbDecoder({ configs: [config] }).serverId(fromHex('47aabb00000000'))!)).toBe('aabb')
  })

  it('follow when the nonces of a key are used up: none comes twice (§9.6)', () => {
    const start = fromHex('00000000')
    const keyed: QuicLbConfig = { configId: 3, serverIdLength: 1, nonceLength: 4, cipher }
    const generator = new QuicLbGenerator({ config: keyed, serverId: Uint8Array.of(5), random: nonceOf(start) })
    generator.generate()
    // Puts the counter where 2^32 − 2 more connection IDs would bring it.
    ;(generator as unknown as { nonce: Uint8Array }).nonce = fromHex('fffffffe')
    expect(generator.generate()[0]! >> 5).toBe(3)
    expect(generator.generate()[0]! >> 5).toBe(7)
    expect(generator.isRoutable()).toBe(false)
  })
})

describe('a new configuration (§3.1)', () => {
  it('is used at once, while the decoder still knows the old one', () => {
    const random = new SeededRandom(9)
    const old: QuicLbConfig = { configId: 0, serverIdLength: 3, nonceLength: 8, cipher }
    const next: QuicLbConfig = { configId: 1, serverIdLength: 2, nonceLength: 4, cipher: null }
    const generator = new QuicLbGenerator({ config: old, serverId: Uint8Array.of(1, 2, 3), random })
    const decoder = new QuicLbDecoder({ configs: [old, next] })
    const before = generator.generate()
    generator.configure(next, Uint8Array.of(7, 7))
    const after = generator.generate()
    expect(after).toHaveLength(before.length)
    expect(decoder.serverId(before)).toEqual(Uint8Array.of(1, 2, 3))
    expect(decoder.serverId(after)).toEqual(Uint8Array.of(7, 7))
  })

  it('must be legal and fit into the length', () => {
    const random = new SeededRandom(9)
    const legal: QuicLbConfig = { configId: 0, serverIdLength: 2, nonceLength: 4, cipher: null }
    const make =
      (config: QuicLbConfig, serverId = new Uint8Array(config.serverIdLength)) =>
      () =>
        new QuicLbGenerator({ config, serverId, random })
    expect(make(legal)).not.toThrow()
    expect(make({ ...legal, configId: 7 })).toThrow(RangeError)
    expect(make({ ...legal, serverIdLength: 0 })).toThrow(RangeError)
    expect(make({ ...legal, nonceLength: 3 })).toThrow(RangeError)
    expect(make({ ...legal, serverIdLength: 10, nonceLength: 10 })).toThrow(RangeError)
    expect(make(legal, new Uint8Array(3))).toThrow(RangeError)
    expect(() => new QuicLbDecoder({ configs: [legal, legal] })).toThrow(RangeError)
    const generator = new QuicLbGenerator({ config: legal, serverId: Uint8Array.of(1, 2), random })
    expect(() => generator.configure({ ...legal, nonceLength: 5 }, Uint8Array.of(1, 2))).toThrow(RangeError)
  })
})
