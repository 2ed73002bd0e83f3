import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { PacketKeys } from '../../src/crypto/packet-keys.ts'
import { CipherSuite, cipherSuite } from '../../src/crypto/provider.ts'
import { providerUnderTest as provider } from './provider-under-test.ts'

const SUITES = Object.values(CipherSuite)

function keysOf(suite: (typeof SUITES)[number]): PacketKeys {
  return new PacketKeys(provider, suite, new Uint8Array(cipherSuite(suite).hashLength).fill(9))
}

describe('PacketKeys (RFC 9001 §5)', () => {
  it('opens what it protected, for every header form and packet number length', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SUITES),
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(30),
        fc.uint8Array({ minLength: 3, maxLength: 100 }),
        fc.nat(2 ** 31),
        fc.nat(7),
        (suite, long, packetNumberLength, cidLength, payload, packetNumber, start) => {
          const keys = keysOf(suite)
          const packetNumberOffset = start + 1 + cidLength
          const payloadStart = packetNumberOffset + packetNumberLength
          const payloadEnd = payloadStart + payload.length
          const buffer = new Uint8Array(payloadEnd + 16 + 4)
          buffer[start] = (long ? 0xc0 : 0x40) | (packetNumberLength - 1)
          const truncated = packetNumber % 256 ** packetNumberLength
          for (let i = 0, rest = truncated; i < packetNumberLength; i++, rest = Math.floor(rest / 256)) {
            buffer[payloadStart - 1 - i] = rest & 0xff
          }
          buffer.set(payload, payloadStart)
          const original = buffer.slice()
          const end = keys.protect(buffer, start, packetNumberOffset, packetNumberLength, payloadEnd, packetNumber)
          expect(end).toBe(payloadEnd + 16)
          // §5.4.1: the form, the fixed bit and, in long headers, the type stay readable.
          expect(buffer[start]! & (long ? 0xf0 : 0xe0)).toBe(original[start]! & (long ? 0xf0 : 0xe0))
          expect(keys.unprotectHeader(buffer, start, packetNumberOffset, end)).toBe(truncated)
          expect(keys.packetNumberLength).toBe(packetNumberLength)
          expect(keys.open(buffer, start, payloadStart, end, packetNumber)).toBe(true)
          expect(buffer.subarray(0, payloadEnd)).toEqual(original.subarray(0, payloadEnd))
        },
      ),
    )
  })

  it('tells a packet without room for a sample apart (§5.4.2)', () => {
    const keys = keysOf(CipherSuite.aes128GcmSha256)
    const buffer = new Uint8Array(64).fill(0x40)
    const before = buffer.slice()
    expect(keys.unprotectHeader(buffer, 0, 9, 28)).toBe(-1)
    expect(buffer).toEqual(before)
    expect(keys.unprotectHeader(buffer, 0, 9, 29)).toBeGreaterThanOrEqual(0)
    expect(() => keys.protect(buffer, 0, 9, 1, 12, 0)).toThrow(/sample/)
  })

  it('counts what it seals and what it cannot open (§6.6)', () => {
    const keys = keysOf(CipherSuite.chacha20Poly1305Sha256)
    const buffer = new Uint8Array(64)
    keys.protect(buffer, 0, 1, 1, 20, 0)
    keys.protect(buffer, 0, 1, 1, 20, 1)
    expect(keys.open(buffer, 0, 2, 36, 5)).toBe(false)
    expect([keys.sealedPackets, keys.failedPackets]).toEqual([2, 1])
    expect(keys.isExhausted()).toBe(false)
    keys.failedPackets = 2 ** 36
    expect(keys.isExhausted()).toBe(false)
    keys.failedPackets++
    expect(keys.isExhausted()).toBe(true)
  })

  it('stops at the confidentiality limit of AES-GCM (§6.6)', () => {
    const keys = keysOf(CipherSuite.aes256GcmSha384)
    keys.sealedPackets = 2 ** 23 - 1
    expect(keys.isExhausted()).toBe(false)
    keys.protect(new Uint8Array(64), 0, 1, 1, 20, 0)
    expect(keys.isExhausted()).toBe(true)
  })

  it('does not work any more once destroyed', () => {
    const keys = keysOf(CipherSuite.aes128GcmSha256)
    keys.destroy()
    expect(() => keys.protect(new Uint8Array(64), 0, 1, 1, 20, 0)).toThrow(/destroy/)
  })

  it('refuses a version whose labels it does not know', () => {
    expect(() => new PacketKeys(provider, CipherSuite.aes128GcmSha256, new Uint8Array(32), 0xff00001d)).toThrow(/version/)
  })
})
