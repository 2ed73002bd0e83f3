// Version Negotiation (RFC 9000 §6, §17.2.1).

import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { retryIntegrityTag } from '../../src/crypto/retry-integrity.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../src/wire/header.ts'
import { encodeRetry } from '../../src/wire/retry.ts'
import { decodeSupportedVersions, encodeVersionNegotiation } from '../../src/wire/version-negotiation.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { CLIENT, Pair, SERVER } from './pair.ts'

const STRANGER = '10.0.0.77:1'
const OURS = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)
const THEIRS = new Uint8Array(30).fill(0x42)

function longHeader(version: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  bytes[0] = 0xc3
  new DataView(bytes.buffer).setUint32(1, version)
  bytes[5] = OURS.length
  bytes.set(OURS, 6)
  bytes[6 + OURS.length] = THEIRS.length
  bytes.set(THEIRS, 7 + OURS.length)
  return bytes
}

describe('a server and unknown versions (RFC 9000 §6.1)', () => {
  function answersTo(...datagrams: Uint8Array[]): Uint8Array[] {
    const pair = new Pair()
    const answers: Uint8Array[] = []
    pair.network.observe(({ bytes, to }) => {
      if (to === STRANGER) answers.push(bytes.slice())
    })
    for (const datagram of datagrams) pair.network.inject(datagram, STRANGER, SERVER)
    pair.network.runFor(50)
    expect(pair.servers.length).toBeLessThanOrEqual(1)
    return answers
  }

  it('answers with its versions and a reserved one, IDs swapped (§6.3, §17.2.1)', () => {
    for (const version of [2, 0x0a0a0a0a, 0xffffffff, 0xff00001d]) {
      const [answer, ...more] = answersTo(longHeader(version, 1200))
      expect(more).toEqual([])
      const view = new HeaderView()
      expect(parseHeader(view, answer!, 0, answer!.length, 8)).toBe(HeaderResult.ok)
      expect(view.version).toBe(0)
      expect(view.destination()).toEqual(THEIRS)
      expect(view.source()).toEqual(OURS)
      const versions = decodeSupportedVersions(view)
      expect(versions).toContain(1)
      // RFC 9000 §15: 0x?a?a?a?a.
      expect(versions.some((listed) => (listed & 0x0f0f0f0f) === 0x0a0a0a0a)).toBe(true)
      expect(versions).not.toContain(version)
    }
  })

  it('answers nothing smaller than 1200 bytes (§6.1, §14.1)', () => {
    expect(answersTo(longHeader(2, 1199), longHeader(2, 50))).toEqual([])
  })

  it('answers no Version Negotiation packet (§6.1)', () => {
    expect(answersTo(concatBytes(encodeVersionNegotiation(OURS, THEIRS.subarray(0, 20), [1, 2], 0), new Uint8Array(1200)))).toEqual([])
  })

  it('keeps few answers waiting', () => {
    expect(answersTo(...Array.from({ length: 500 }, () => longHeader(2, 1200))).length).toBeLessThanOrEqual(500)
  })
})

describe('a client and Version Negotiation (RFC 9000 §6.2)', () => {
  function listening(): { pair: Pair; answer: (versions: number[], source?: Uint8Array, destination?: Uint8Array) => void } {
    const pair = new Pair()
    const client = pair.client.connection
    pair.network.link('client', 'server', { loss: 1 })
    pair.network.turnAll()
    return {
      pair,
      answer: (versions, source = client.originalDestinationConnectionId, destination = client.sourceConnectionIds()[0]!) => {
        pair.network.inject(encodeVersionNegotiation(destination, source, versions, 0), SERVER, CLIENT)
        pair.network.runFor(1)
      },
    }
  }

  it('ends at once and silently when there is no common version', () => {
    const { pair, answer } = listening()
    const sent = pair.client.connection.stats().datagramsSent
    answer([0x0a0a0a0a, 0xff00001d])
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'version-negotiation' }])
    expect(pair.client.closeReasons()[0]!.reason).toContain('0xff00001d')
    expect(pair.client.connection.isClosed()).toBe(true)
    expect(pair.client.connection.stats().datagramsSent).toBe(sent)
  })

  it('ignores one that lists its own version, or none', () => {
    const { pair, answer } = listening()
    answer([1, 2])
    answer([])
    expect(pair.client.connection.closeReason()).toBeNull()
  })

  it('ignores one whose connection IDs are not its own (§17.2.1)', () => {
    const { pair, answer } = listening()
    answer([2], OURS)
    answer([2], undefined, OURS.subarray(0, 8))
    expect(pair.client.connection.closeReason()).toBeNull()
  })

  it('ignores a forged one after the first packet of the server', () => {
    const pair = new Pair()
    const client = pair.client.connection
    pair.network.run(() => client.stats().packetsReceived > 0)
    const forged = encodeVersionNegotiation(client.sourceConnectionIds()[0]!, client.originalDestinationConnectionId, [2], 0)
    pair.network.inject(forged, SERVER, CLIENT)
    pair.establish()
  })

  it('ignores one after a Retry: that was a packet, too', () => {
    const { pair, answer } = listening()
    const client = pair.client.connection
    const retry = encodeRetry(1, client.sourceConnectionIds()[0]!, OURS, THEIRS)
    const tag = retryIntegrityTag(provider, 1, client.originalDestinationConnectionId, retry)
    pair.network.inject(concatBytes(retry, tag), SERVER, CLIENT)
    pair.network.runFor(1)
    answer([2])
    expect(client.closeReason()).toBeNull()
  })
})
