// retry, resumption, zerortt, v2, versionnegotiation.

import { describe, expect, it } from 'vitest'
import { MemorySessionStore } from '../../../packages/quic/src/tls/resumption/session-store.ts'
import { RecordedNetwork } from '../../capture/test/recorded-network.ts'
import { retryTokenIsUsed, secondIsResumed, requestsAreEarly } from '../steps.ts'
import { evidenceOf } from '../evidence.ts'
import { altered, download, downloadTwice, failed, verdictOf } from './recorded-cases.ts'

const PASSED = { kind: 'passed' }
const V2 = 0x6b3343cf
const RETRY = { endpoint: { policy: ({ validated }: { validated: boolean }) => (validated ? ('accept' as const) : ('retry' as const)) } }

describe('retry', () => {
  it('passes when the token comes back and the packet numbers go on', async () => {
    expect(await verdictOf('retry', download(RETRY))).toEqual(PASSED)
  })

  it('fails without a Retry', async () => {
    expect(await verdictOf('retry', download())).toEqual(failed(/^no Retry$/))
  })

  it('fails when packet numbers begin anew or the token is another one', () => {
    const run = download(RETRY)
    expect(retryTokenIsUsed.judge(evidenceOf(run), run)).toBeNull()
    const anew = altered(run, (packet) => (packet.type === 'initial' && packet.token !== '' ? { ...packet, packetNumber: packet.packetNumber - 1 } : packet))
    expect(retryTokenIsUsed.judge(anew, run)).toMatch(/packet number 0 after the Retry, which is not above 0/)
    const other = altered(run, (packet) => (packet.type === 'initial' && packet.token !== '' ? { ...packet, token: `${packet.token}00` } : packet))
    expect(retryTokenIsUsed.judge(other, run)).toMatch(/no client Initial with the token/)
    const none = altered(run, (packet) => (packet.type === 'retry' ? { ...packet, token: '' } : packet))
    expect(retryTokenIsUsed.judge(none, run)).toMatch(/a Retry without a token/)
  })
})

describe('resumption', () => {
  const names = ['a-b-c', 'd-e-f']

  it('passes when the second handshake has no Certificate', async () => {
    expect(await verdictOf('resumption', downloadTwice(names, { earlyData: false }))).toEqual(PASSED)
  })

  it('fails when it has one', async () => {
    expect(await verdictOf('resumption', downloadTwice(names, { sessions: undefined, earlyData: false }))).toEqual(failed(/a Certificate in the second/))
  })

  it('fails with one connection, and without a Certificate in the first handshake', async () => {
    expect(await verdictOf('resumption', download({ files: { 'a-b-c': 32, 'd-e-f': 32 } }))).toEqual(failed(/^1 handshakes, not 2$/))
    const run = downloadTwice(names, { earlyData: false })
    expect(secondIsResumed.judge(altered(run, (packet) => ({ ...packet, messages: [] })), run)).toMatch(/no Certificate in the first/)
  })

  it('is not verified without a key log', async () => {
    expect(await verdictOf('resumption', { ...downloadTwice(names), keyLogs: [] })).toMatchObject({ kind: 'not-verified' })
  })
})

describe('zerortt', () => {
  // Requests of 257 bytes: 22 of them are above 5000.
  const names = Array.from({ length: 24 }, (_, i) => `${String.fromCharCode(97 + i)}`.repeat(250))

  it('passes when the requests are early', async () => {
    expect(await verdictOf('zerortt', downloadTwice(names, {}, { client: { mtuDiscovery: false } }))).toEqual(PASSED)
  })

  it('fails without 0-RTT', async () => {
    expect(await verdictOf('zerortt', downloadTwice(names, { earlyData: false }))).toEqual(failed(/no 0-RTT packet/))
  })

  it('fails with more than 5000 bytes of 1-RTT', () => {
    const run = downloadTwice(names)
    const evidence = altered(run, (packet) => (packet.type === '1-rtt' ? { ...packet, payloadLength: packet.payloadLength + 1000 } : packet))
    expect(requestsAreEarly.judge(evidence, run)).toMatch(/\d+ bytes of client 1-RTT payload, above 5000/)
  })

  it('fails when most requests wait for the handshake', async () => {
    const network = new RecordedNetwork({ files: Object.fromEntries(names.map((name) => [name, 32])) })
    const tls = { sessions: new MemorySessionStore(), earlyData: true }
    const one = network.connect({}, tls)
    network.confirm(one).download(one, names[0]!).close(one)
    const two = network.connect({}, tls, '193.167.0.100:50001')
    network.network.turnAll()
    network.download(two, names[1]!).confirm(two).download(two, ...names.slice(2)).close(two)
    expect(await verdictOf('zerortt', network.save())).toEqual(failed(/bytes of client 1-RTT payload, above 5000/))
  })
})

describe('v2', () => {
  it('passes when the server moves the connection to version 2', async () => {
    expect(await verdictOf('v2', download({ serverConfig: { versions: [1, V2], preferredVersion: V2 } }, { versions: [1, V2] }))).toEqual(PASSED)
  })

  it('fails when it stays in version 1, and when it begins in version 2', async () => {
    expect(await verdictOf('v2', download())).toEqual(failed(/server Initials have version 0x00000001, none 0x6b3343cf/))
    expect(await verdictOf('v2', download({ serverConfig: { versions: [V2] } }, { versions: [V2] }))).toEqual(failed(/client Initials have version 0x6b3343cf, none/))
  })
})

describe('versionnegotiation', () => {
  it('passes with an answer that has the connection ID of the question', async () => {
    const network = new RecordedNetwork({ serverConfig: { versions: [V2] }, endpoint: { versions: [V2] } })
    const client = network.connect()
    network.network.run(() => client.connection.isClosed())
    expect(client.closeReasons()[0]?.cause).toBe('version-negotiation')
    const run = network.save()
    expect(await verdictOf('versionnegotiation', run)).toEqual(PASSED)
    expect(await verdictOf('versionnegotiation', download())).toEqual(failed(/^no Version Negotiation$/))
  })
})
