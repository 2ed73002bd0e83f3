// Bytes spoiled on their way: whatever arrives, an engine either goes on or throws a TransportError of the handshake.
// RFC 9001 §4.8: a TLS alert, or one of the few codes RFC 9001 §4.1.3 and §8.4 name instead.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import type { HandshakeInfo } from '../../src/tls/engine.ts'
import { clientConfig, Pair, reframe, serverConfig, type Hand } from './handshake.ts'

const MESSAGES = 7

/** Spoils the n-th crypto event of a handshake. */
function nth(n: number, spoil: (bytes: Uint8Array) => readonly Uint8Array[]): Hand {
  let count = 0
  return (_from, _level, bytes) => (count++ === n ? spoil(bytes) : [bytes])
}

function expectClean(pair: Pair): void {
  if (pair.failure === null) return
  expect(pair.failure).toBeInstanceOf(TransportError)
  const { wireCode } = pair.failure as TransportError
  expect(wireCode === 0x0a || (wireCode >= 0x100 && wireCode <= 0x1ff)).toBe(true)
}

describe('a handshake with one message spoiled', () => {
  it('never completes on both sides with a bit flipped, and fails with a clean error', () => {
    fc.assert(
      fc.property(fc.nat(MESSAGES - 1), fc.nat(), fc.integer({ min: 0, max: 7 }), (n, position, bit) => {
        const spoil = (bytes: Uint8Array): Uint8Array[] => {
          const copy = bytes.slice()
          copy[position % copy.length]! ^= 1 << bit
          return [copy]
        }
        const pair = new Pair(clientConfig(), serverConfig(), nth(n, spoil)).run()
        expectClean(pair)
        expect(pair.complete).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  it('never completes with a message cut short, whether its header knows or not', () => {
    fc.assert(
      fc.property(fc.nat(MESSAGES - 1), fc.nat(), fc.boolean(), (n, cut, honest) => {
        const spoil = (bytes: Uint8Array): Uint8Array[] => {
          const length = 4 + (cut % Math.max(1, bytes.length - 4))
          const copy = bytes.slice(0, length)
          if (honest) copy.set([(length - 4) >>> 16, ((length - 4) >>> 8) & 255, (length - 4) & 255], 1)
          return [copy]
        }
        const pair = new Pair(clientConfig(), serverConfig(), nth(n, spoil)).run()
        expectClean(pair)
        expect(pair.complete).toBe(false)
      }),
      { numRuns: 150 },
    )
  })

  it('survives arbitrary bytes in place of a message body', () => {
    fc.assert(
      fc.property(fc.nat(MESSAGES - 1), fc.uint8Array({ maxLength: 300 }), (n, body) => {
        const spoil = (bytes: Uint8Array): Uint8Array[] => [reframe(bytes[0]!, body)]
        const pair = new Pair(clientConfig(), serverConfig(), nth(n, spoil)).run()
        expectClean(pair)
        expect(pair.complete).toBe(false)
      }),
      { numRuns: 150 },
    )
  })
})

describe('a handshake cut into pieces', () => {
  it('completes the same however the bytes of a level are cut (RFC 9001 §4.1.3)', () => {
    let whole: HandshakeInfo | null = null
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        let turn = 0
        const hand: Hand = (_from, _level, bytes) => {
          const pieces: Uint8Array[] = []
          for (let i = 0; i < bytes.length; ) {
            const size = sizes[turn++ % sizes.length]!
            pieces.push(bytes.slice(i, i + size))
            i += size
          }
          return pieces
        }
        const pair = new Pair(clientConfig(), serverConfig(), hand).run()
        expect(pair.failure).toBeNull()
        expect(pair.complete).toBe(true)
        whole ??= pair.client.info()
        expect(pair.client.info()).toEqual(whole)
      }),
      { numRuns: 40 },
    )
  })

  it('completes with a whole flight in one piece, and does not keep the caller’s memory', () => {
    let held: Uint8Array[] = []
    const hand: Hand = (from, level, bytes) => {
      if (from === 'client' || level === 0) return [bytes]
      held.push(bytes)
      if (held.length < 4) return []
      const flight = concatBytes(...held)
      held = []
      return [flight]
    }
    const pair = new Pair(clientConfig(), serverConfig(), hand).run()
    expect(pair.complete).toBe(true)

    const scribble: Hand = (_from, _level, bytes) => [bytes.slice()]
    const other = new Pair(clientConfig(), serverConfig(), scribble)
    const receive = other.client.receive.bind(other.client)
    other.client.receive = (level, bytes): void => {
      receive(level, bytes)
      bytes.fill(0)
    }
    other.run()
    expect(other.complete).toBe(true)
    expect(other.client.info()?.peerCertificates).toEqual(pair.client.info()?.peerCertificates)
  })
})
