// Appendix A of RFC 9001 and of RFC 9369, which repeats it for QUIC version 2: byte for byte, over every provider. The vectors are
// in test-vectors/rfc9001-a and test-vectors/rfc9369-a.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EMPTY, concatBytes, fromHex, toHex, utf8 } from '../../src/base/bytes.ts'
import { hkdfExpandLabel, hkdfExtract } from '../../src/crypto/hkdf.ts'
import { INITIAL_CIPHER_SUITE, initialSecrets } from '../../src/crypto/initial-keys.ts'
import { updatedSecret } from '../../src/crypto/key-chain.ts'
import { hkdfLabel } from '../../src/crypto/labels.ts'
import { OneRttKeys, OpenResult } from '../../src/crypto/one-rtt-keys.ts'
import { PacketKeys } from '../../src/crypto/packet-keys.ts'
import { CipherSuite } from '../../src/crypto/provider.ts'
import { isRetryAuthentic, retryIntegrityTag } from '../../src/crypto/retry-integrity.ts'
import { PacketType } from '../../src/wire/constants.ts'
import { patchLength, writeLongHeader } from '../../src/wire/header-writer.ts'
import { encodeRetry } from '../../src/wire/retry.ts'
import { Writer } from '../../src/wire/writer.ts'
import { providers } from './provider-under-test.ts'

interface InitialSide {
  secret: string
  key: string
  iv: string
  hp: string
  packetNumber: number
  header: string
  sample: string
  mask: string
  packet: string
}

interface InitialVectors {
  originalDestinationConnectionId: string
  initialSecret: string
  labels: Record<string, string>
  client: InitialSide & { cryptoFrame: string; payloadLength: number }
  server: InitialSide & { payload: string }
}

interface ShortHeaderVectors {
  secret: string
  key: string
  iv: string
  hp: string
  ku: string
  packetNumber: number
  packetNumberLength: number
  header: string
  payload: string
  ciphertext: string
  sample: string
  mask: string
  packet: string
}

export interface Appendix {
  /** `RFC 9001` or `RFC 9369`. */
  readonly standard: string
  /** Below test-vectors. */
  readonly folder: string
  readonly version: number
  readonly initialSalt: string
  /** What the labels begin with: `quic` or `quicv2`. */
  readonly labelPrefix: string
}

export function appendixA({ standard, folder, version, initialSalt, labelPrefix }: Appendix): void {
  function vectors<T>(name: string): T {
    return JSON.parse(readFileSync(new URL(`../../../../test-vectors/${folder}/${name}.json`, import.meta.url), 'utf8')) as T
  }

  const initial = vectors<InitialVectors>('initial')
  const retry = vectors<{ originalDestinationConnectionId: string; packet: string }>('retry')
  const chacha = vectors<ShortHeaderVectors>('chacha20-short-header')

  const clientPayload = new Uint8Array(initial.client.payloadLength)
  clientPayload.set(fromHex(initial.client.cryptoFrame))

  const SIDES = [
    { side: 'client', vector: initial.client, payload: clientPayload, packetNumberLength: 4 },
    { side: 'server', vector: initial.server, payload: fromHex(initial.server.payload), packetNumberLength: 2 },
  ] as const

  describe(`${standard} §A.1 labels`, () => {
    it.each(Object.entries(initial.labels))('HkdfLabel of "%s"', (label, expected) => {
      expect(toHex(hkdfLabel(parseInt(expected.slice(0, 4), 16), label, EMPTY))).toBe(expected)
    })
  })

  describe(`${standard} Appendix A headers`, () => {
    it.each(SIDES)('§A.2, §A.3 the unprotected header of the $side', ({ side, vector, payload, packetNumberLength }) => {
      const expected = fromHex(vector.header)
      const ids = side === 'client' ? [fromHex(initial.originalDestinationConnectionId), EMPTY] : [EMPTY, fromHex('f067a5502a4262b5')]
      const writer = new Writer(new Uint8Array(expected.length))
      const { packetNumber } = vector
      const lengthAt = writeLongHeader(writer, PacketType.initial, version, ids[0]!, ids[1]!, EMPTY, packetNumber, packetNumberLength)
      patchLength(writer.buffer, lengthAt, packetNumberLength + payload.length + 16)
      expect(toHex(writer.buffer)).toBe(vector.header)
    })

    it('§A.4 the Retry packet up to its tag', () => {
      const packet = encodeRetry(version, EMPTY, fromHex('f067a5502a4262b5'), utf8('token'))
      expect(toHex(packet)).toBe(retry.packet.slice(0, -32))
    })
  })

  describe.each(providers)(`${standard} Appendix A over $name`, (provider) => {
    const dcid = fromHex(initial.originalDestinationConnectionId)
    const secrets = initialSecrets(provider, version, dcid)
    const expand = (secret: string, label: string, length: number): string =>
      toHex(hkdfExpandLabel(provider, 'sha256', fromHex(secret), label, EMPTY, length))

    it('§A.1 initial_secret', () => {
      const salt = fromHex(initialSalt)
      expect(toHex(hkdfExtract(provider, 'sha256', salt, dcid))).toBe(initial.initialSecret)
    })

    describe.each(SIDES)('$side Initial', ({ side, vector, payload, packetNumberLength }) => {
      const header = fromHex(vector.header)
      const packetNumberOffset = header.length - packetNumberLength

      it('§A.1 secret, key, iv and hp', () => {
        expect(toHex(secrets[side])).toBe(vector.secret)
        expect(expand(vector.secret, `${labelPrefix} key`, 16)).toBe(vector.key)
        expect(expand(vector.secret, `${labelPrefix} iv`, 12)).toBe(vector.iv)
        expect(expand(vector.secret, `${labelPrefix} hp`, 16)).toBe(vector.hp)
      })

      it('mask of the sample', () => {
        const mask = new Uint8Array(5)
        provider.headerKey(INITIAL_CIPHER_SUITE, fromHex(vector.hp)).mask(fromHex(vector.sample), 0, mask)
        expect(toHex(mask)).toBe(vector.mask)
      })

      it('protected in full, within a larger buffer', () => {
        const keys = new PacketKeys(provider, INITIAL_CIPHER_SUITE, secrets[side], version)
        const buffer = new Uint8Array(1500).fill(0xee)
        const start = 3
        buffer.set(header, start)
        buffer.set(payload, start + header.length)
        const end = keys.protect(
          buffer,
          start,
          start + packetNumberOffset,
          packetNumberLength,
          start + header.length + payload.length,
          vector.packetNumber,
        )
        expect(toHex(buffer.subarray(start, end))).toBe(vector.packet)
        expect(buffer[start - 1]).toBe(0xee)
        expect(buffer[end]).toBe(0xee)
        expect(keys.sealedPackets).toBe(1)
      })

      it('opened in full', () => {
        const keys = new PacketKeys(provider, INITIAL_CIPHER_SUITE, secrets[side], version)
        const packet = fromHex(vector.packet)
        expect(keys.unprotectHeader(packet, 0, packetNumberOffset, packet.length)).toBe(vector.packetNumber)
        expect(keys.packetNumberLength).toBe(packetNumberLength)
        expect(keys.open(packet, 0, header.length, packet.length, vector.packetNumber)).toBe(true)
        expect(toHex(packet.subarray(0, -16))).toBe(toHex(concatBytes(header, payload)))
        expect(keys.failedPackets).toBe(0)
      })
    })

    it('§A.4 Retry integrity tag', () => {
      const packet = fromHex(retry.packet)
      const original = fromHex(retry.originalDestinationConnectionId)
      expect(toHex(retryIntegrityTag(provider, version, original, packet.subarray(0, -16)))).toBe(toHex(packet.subarray(-16)))
      expect(isRetryAuthentic(provider, version, original, packet)).toBe(true)
      expect(isRetryAuthentic(provider, version, original.subarray(1), packet)).toBe(false)
      expect(isRetryAuthentic(provider, version, original, packet.subarray(1))).toBe(false)
      expect(isRetryAuthentic(provider, version, original, packet.subarray(0, 15))).toBe(false)
    })

    describe('§A.5 ChaCha20-Poly1305 short header packet', () => {
      const secret = fromHex(chacha.secret)
      const suite = CipherSuite.chacha20Poly1305Sha256
      const header = fromHex(chacha.header)

      it('key, iv, hp and ku', () => {
        expect(expand(chacha.secret, `${labelPrefix} key`, 32)).toBe(chacha.key)
        expect(expand(chacha.secret, `${labelPrefix} iv`, 12)).toBe(chacha.iv)
        expect(expand(chacha.secret, `${labelPrefix} hp`, 32)).toBe(chacha.hp)
        expect(toHex(updatedSecret(provider, suite, secret, version))).toBe(chacha.ku)
      })

      it('ciphertext and mask', () => {
        const buffer = concatBytes(header, fromHex(chacha.payload), new Uint8Array(16))
        provider.aead(suite, fromHex(chacha.key), fromHex(chacha.iv)).seal(buffer, 0, 4, 5, chacha.packetNumber)
        expect(toHex(buffer.subarray(4))).toBe(chacha.ciphertext)
        const mask = new Uint8Array(5)
        provider.headerKey(suite, fromHex(chacha.hp)).mask(fromHex(chacha.sample), 0, mask)
        expect(toHex(mask)).toBe(chacha.mask)
      })

      it('protected and opened', () => {
        const keys = new OneRttKeys(provider, suite, secret, secret, version)
        const buffer = concatBytes(header, fromHex(chacha.payload), new Uint8Array(16))
        expect(keys.protect(buffer, 0, 1, chacha.packetNumberLength, 5, chacha.packetNumber)).toBe(21)
        expect(toHex(buffer)).toBe(chacha.packet)
        expect(keys.unprotectHeader(buffer, 0, 1, 21)).toBe(0x00bff4)
        expect(keys.packetNumberLength).toBe(3)
        expect(keys.open(buffer, 0, 4, 21, chacha.packetNumber)).toBe(OpenResult.ok)
        expect(toHex(buffer.subarray(0, 5))).toBe(chacha.header + chacha.payload)
      })
    })
  })
}
