// Cases about handshakes and files: a run that is as it should be passes, one that lacks just what the case is about fails.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { randomLoss } from '../../../packages/quic/src/testing/loss-model.ts'
import type { LinkConditions } from '../../../packages/quic/src/testing/link.ts'
import { RecordedNetwork } from '../../capture/test/recorded-network.ts'
import type { RunRecord } from '../case.ts'
import { dormantCases, interopCases } from '../runner-cases.ts'
import { caseNamed, download, failed, verdictOf } from './recorded-cases.ts'

const PASSED = { kind: 'passed' }
const V2 = 0x6b3343cf
const NAMES = ['a-b-c', 'd-e-f']
const TWO_FILES = { files: { 'a-b-c': 5000, 'd-e-f': 10_000 } }

describe('handshake', () => {
  it('passes with one handshake, version 1 and the file', async () => {
    expect(await verdictOf('handshake', download())).toEqual(PASSED)
  })

  it('needs no key log', async () => {
    expect(await verdictOf('handshake', { ...download(), keyLogs: [] })).toEqual(PASSED)
  })

  it('fails with a Retry', async () => {
    const run = download({ endpoint: { policy: ({ validated }) => (validated ? 'accept' : 'retry') } })
    expect(await verdictOf('handshake', run)).toEqual(failed(/^the server sent a Retry$/))
  })

  it('fails in another version', async () => {
    const run = download({ serverConfig: { versions: [V2] } }, { versions: [V2] })
    expect(await verdictOf('handshake', run)).toEqual(failed(/version 0x6b3343cf, not only 0x00000001/))
  })

  it('is not verified when a capture cannot be read', async () => {
    const run = download()
    writeFileSync(run.rightCapture, 'nothing of the kind, and long enough to be one')
    expect(await verdictOf('handshake', run)).toMatchObject({ kind: 'not-verified', reason: expect.stringMatching(/no pcap file/) })
    rmSync(run.rightCapture)
    expect(await verdictOf('handshake', { ...run })).toMatchObject({ kind: 'not-verified', reason: expect.stringMatching(/right\.pcap/) })
  })
})

describe('transfer', () => {
  it('passes when all files come over one connection', async () => {
    expect(await verdictOf('transfer', download(TWO_FILES))).toEqual(PASSED)
  })

  it('fails with a second handshake', async () => {
    const network = new RecordedNetwork(TWO_FILES)
    for (const [i, name] of NAMES.entries()) {
      const client = network.connect({}, {}, `193.167.0.100:${50_000 + i}`)
      network.confirm(client).download(client, name).close(client)
    }
    expect(await verdictOf('transfer', network.save())).toEqual(failed(/^2 handshakes, not 1$/))
  })

  it('fails for a file that is missing, changed, cut short or not asked for', async () => {
    const run = download(TWO_FILES)
    const file = join(run.downloads, 'd-e-f')
    writeFileSync(file, Buffer.alloc(10_000))
    expect(await verdictOf('transfer', run)).toEqual(failed(/d-e-f has other bytes/))
    writeFileSync(file, Buffer.alloc(9999))
    expect(await verdictOf('transfer', run)).toEqual(failed(/d-e-f has 9999 bytes, not 10000/))
    rmSync(file)
    expect(await verdictOf('transfer', run)).toEqual(failed(/1 of 2 files missing, such as d-e-f/))
    const other = download(TWO_FILES)
    writeFileSync(join(other.downloads, 'a-b-c.part'), '')
    expect(await verdictOf('transfer', other)).toEqual(failed(/1 files that nobody asked for, such as a-b-c\.part/))
  })
})

describe('longrtt', () => {
  it('passes when the ClientHello goes out again', async () => {
    expect(await verdictOf('longrtt', download({ conditions: { delay: 750 } }))).toEqual(PASSED)
  })

  it('fails when the client waits for the answer, also with a ClientHello of two packets', async () => {
    const reason = failed(/^1 ClientHellos, not 2 or more$/)
    expect(await verdictOf('longrtt', download())).toEqual(reason)
    expect(await verdictOf('longrtt', download({}, {}, { groups: undefined }))).toEqual(reason)
  })

  it('fails when the server sends its Initial from two connection IDs, as for two handshakes', async () => {
    const network = new RecordedNetwork({ files: { 'a-b-c': 1024 }, conditions: { delay: 750 } })
    const [abandoned, client] = [network.connect({}, {}, '193.167.0.100:50001'), network.connect()]
    expect(abandoned.connection.isClosed()).toBe(false)
    expect(await verdictOf('longrtt', network.confirm(client).download(client, 'a-b-c').close(client).save())).toEqual(failed(/^2 handshakes/))
  })
})

describe('chacha20', () => {
  const only = { cipherSuites: [0x1303] as const }

  it('passes when the client offers that suite alone', async () => {
    expect(await verdictOf('chacha20', download({}, {}, { ...only, grease: false }))).toEqual(PASSED)
  })

  it('fails with more suites, be they reserved ones', async () => {
    expect(await verdictOf('chacha20', download({}, {}, { grease: false }))).toEqual(failed(/suites 0x1301, 0x1302, 0x1303, not only 0x1303/))
    expect(await verdictOf('chacha20', download({}, {}, only))).toEqual(failed(/suites 0x1303, 0x.a.a, not only/))
  })
})

describe('multiplexing', () => {
  it('passes with a stream limit of at most 1000', async () => {
    expect(await verdictOf('multiplexing', download({ server: { initialMaxStreamsBidi: 1000 } }))).toEqual(PASSED)
  })

  it('fails with more, and without the transport parameter', async () => {
    expect(await verdictOf('multiplexing', download({ server: { initialMaxStreamsBidi: 1001 } }))).toEqual(failed(/is 1001, above 1000/))
    const network = new RecordedNetwork({ server: { initialMaxStreamsBidi: 0 } })
    const client = network.connect()
    expect(await verdictOf('multiplexing', network.confirm(client).close(client).save())).toEqual(failed(/no initial_max_streams_bidi/))
  })

  it('is not verified without a key log', async () => {
    expect(await verdictOf('multiplexing', { ...download(), keyLogs: [] })).toMatchObject({ kind: 'not-verified', reason: expect.stringMatching(/key log/) })
  })
})

describe('ipv6', () => {
  it('passes over IPv6 and fails over IPv4', async () => {
    const server = '[fd00:cafe:cafe:100::100]:443'
    const network = new RecordedNetwork({ ...TWO_FILES, serverAddress: server })
    const client = network.connect({}, {}, '[fd00:cafe:cafe::100]:50000')
    expect(await verdictOf('ipv6', network.confirm(client).download(client, ...NAMES).close(client).save())).toEqual(PASSED)
    expect(await verdictOf('ipv6', download(TWO_FILES))).toEqual(failed(/^\d+ IPv4 packets of the server$/))
  })
})

describe('handshakeloss and handshakecorruption', () => {
  function fifty(count: number, conditions: Partial<LinkConditions>): RunRecord {
    const names = Array.from({ length: count }, (_, i) => `file-${i}`)
    const files = Object.fromEntries(names.map((name) => [name, 1024]))
    const network = new RecordedNetwork({ files, conditions, client: { handshakeTimeout: 300_000 }, server: { handshakeTimeout: 300_000 } })
    for (const [i, name] of names.entries()) {
      const client = network.connect({}, {}, `193.167.0.100:${50_000 + i}`)
      network.network.run(() => client.connection.isConfirmed(), { time: 300_000 })
      network.download(client, name).close(client)
    }
    return network.save()
  }

  it('passes with 50 handshakes, lost packets or corrupted ones among them', async () => {
    expect(await verdictOf('handshakeloss', fifty(50, { loss: randomLoss(0.3, 3) }))).toEqual(PASSED)
    expect(await verdictOf('handshakecorruption', fifty(50, { corrupt: 0.3, corruptWithin: 51 }))).toEqual(PASSED)
  })

  it('fails with fewer', async () => {
    expect(await verdictOf('handshakeloss', fifty(49, {}))).toEqual(failed(/^49 handshakes, not 50$/))
  })
})

describe('goodput and crosstraffic', () => {
  it('measure from the first 1-RTT packet of the server to the last', async () => {
    const run = download({ files: { 'a-b-c': 1_000_000 }, conditions: { bandwidth: 1e7 } })
    const goodput = await verdictOf('goodput', run)
    const crosstraffic = await verdictOf('crosstraffic', { ...run })
    if (goodput.kind !== 'passed' || crosstraffic.kind !== 'passed') throw new Error(`${goodput.kind}, ${crosstraffic.kind}`)
    // The definition counts 10 MiB, whatever came; a tenth of that takes some 0.85 s on this line.
    expect(goodput.kilobitsPerSecond).toBeGreaterThan(80_000)
    expect(goodput.kilobitsPerSecond).toBeLessThan(105_000)
    expect(crosstraffic.kilobitsPerSecond! / goodput.kilobitsPerSecond!).toBeCloseTo(2.5)
  })

  it('fail without 1-RTT packets to time', async () => {
    const run = download({ retouch: (side, source, _destination, bytes, ecn) => (side === 'left' && source.endsWith(':443') && bytes[0]! < 0x80 ? null : { bytes, ecn }) })
    expect(await verdictOf('goodput', run)).toEqual(failed(/no two 1-RTT packets/))
  })
})

describe('the list', () => {
  it('has the tests and measurements of the runner, in its order', () => {
    expect(interopCases.map(({ abbreviation }) => abbreviation).join(' ')).toBe('H DC LR C20 M S R Z 3 B U E A L1 L2 C1 C2 6 V2 BP BA CM G C')
    expect(interopCases.filter(({ kind }) => kind === 'measurement').map(({ name }) => name)).toEqual(['goodput', 'crosstraffic'])
    expect(dormantCases.map(({ name }) => name)).toEqual(['versionnegotiation'])
  })

  it('says what the runner says', () => {
    const { facts, check, ...corruption } = caseNamed('handshakecorruption')
    expect(facts.length).toBeGreaterThan(0)
    expect(check).toBeTypeOf('function')
    expect(corruption).toEqual({
      name: 'handshakecorruption',
      abbreviation: 'C1',
      kind: 'test',
      testcase: { client: 'multiconnect', server: 'multiconnect' },
      host: 'server4',
      files: Array.from({ length: 50 }, () => ({ sizeBytes: 1024 })),
      scenario: 'corrupt-rate --delay=15ms --bandwidth=10Mbps --queue=25 --rate_to_server=30 --rate_to_client=30 --burst_to_server=3 --burst_to_client=3',
      timeoutMs: 300_000,
      certificateChain: 1,
      crossTraffic: false,
      repetitions: 1,
      rebinds: false,
    })
    expect(caseNamed('keyupdate').testcase).toEqual({ client: 'keyupdate', server: 'transfer' })
    expect(caseNamed('connectionmigration')).toMatchObject({ testcase: { client: 'transfer', server: 'connectionmigration' }, host: 'server46' })
    expect(caseNamed('crosstraffic')).toMatchObject({ kind: 'measurement', crossTraffic: true, repetitions: 5, timeoutMs: 180_000 })
  })
})
