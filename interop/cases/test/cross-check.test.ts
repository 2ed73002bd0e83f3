// Both readings of the same captures. The first tests need tshark; where it is not installed they are skipped.

import { copyFileSync, rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dropList } from '../../../packages/quic/src/testing/loss-model.ts'
import { tsharkVersion } from '../../capture/tshark.ts'
import { RecordedNetwork } from '../../capture/test/recorded-network.ts'
import type { RunRecord } from '../case.ts'
import { crossChecked } from '../cross-check.ts'
import { evidenceOf, type Evidence } from '../evidence.ts'
import { clientOneRttBytes } from '../facts.ts'
import { caseNamed, download, downloadTwice, verdictOf } from './recorded-cases.ts'

const version = await tsharkVersion()
const described = version === null ? describe.skip : describe
const V2 = 0x6b3343cf

const retrying = { endpoint: { policy: ({ validated }: { validated: boolean }) => (validated ? ('accept' as const) : ('retry' as const)) } }
const patient = { client: { handshakeTimeout: 60_000 }, server: { handshakeTimeout: 60_000 } }

/** Runs that pass, by the name of their case. */
const RUNS: Readonly<Record<string, () => RunRecord>> = {
  handshake: () => download(),
  transfer: () => download({ files: { a: 200_000, b: 30_000 }, conditions: { loss: 0.02 } }),
  longrtt: () => download({ conditions: { delay: 750 } }),
  chacha20: () => download({ files: { a: 50_000 } }, {}, { cipherSuites: [0x1303], grease: false }),
  multiplexing: () => download({ files: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`file-${i}`, 32])) }),
  retry: () => download(retrying),
  resumption: () => downloadTwice(['a', 'b'], { earlyData: false }),
  zerortt: () => downloadTwice(Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i).repeat(200)), {}, { client: { mtuDiscovery: false } }),
  keyupdate: () => {
    const network = new RecordedNetwork({ files: { a: 20_000, b: 20_000 } })
    const client = network.connect()
    network.confirm(client).download(client, 'a')
    client.connection.updateKeys()
    return network.download(client, 'b').close(client).save()
  },
  ecn: () => download({ client: { ecnCapable: true }, server: { ecnCapable: true }, files: { a: 100_000 } }),
  amplificationlimit: () => {
    const tls = { certificateCompression: false }
    const network = new RecordedNetwork({ ...patient, bigCertificate: true, files: { a: 5000 }, serverTls: tls })
    network.network.link('client 1', 'server', { loss: dropList(2, 3, 4, 5, 6, 7) })
    const client = network.connect({}, tls)
    return network.confirm(client).download(client, 'a').close(client).save()
  },
  transfercorruption: () => download({ files: { a: 200_000 }, conditions: { corrupt: 0.05, corruptWithin: 51 } }),
  ipv6: () => {
    const network = new RecordedNetwork({ files: { a: 5000 }, serverAddress: '[fd00:cafe:cafe:100::100]:443' })
    const client = network.connect({}, {}, '[fd00:cafe:cafe::100]:50000')
    return network.confirm(client).download(client, 'a').close(client).save()
  },
  v2: () => download({ serverConfig: { versions: [1, V2], preferredVersion: V2 } }, { versions: [1, V2] }),
  'rebind-port': () => rebinding('193.167.0.100:61234', 8),
  'rebind-addr': () => rebinding('193.167.0.77:61234', 0),
  connectionmigration: () => {
    const preferred = '193.167.100.100:4443'
    const network = new RecordedNetwork({ files: { a: 100_000 }, serverAddresses: [preferred], serverConfig: { preferredAddress: { ipv4: preferred } } })
    const client = network.connect()
    return network.confirm(client).download(client, 'a').close(client).save()
  },
  goodput: () => download({ files: { a: 200_000 }, conditions: { bandwidth: 1e7 } }),
}

function rebinding(address: string, clientIdLength: number): RunRecord {
  const network = new RecordedNetwork({ files: { a: 400_000 }, conditions: { bandwidth: 1e7 }, clientIdLength })
  const client = network.connect()
  network.confirm(client)
  network.network.at(network.network.now + 150, () => network.network.rebind('client 1', address))
  return network.download(client, 'a').close(client).save()
}

described(`with tshark ${version ?? '(not installed)'}`, () => {
  for (const [name, record] of Object.entries(RUNS)) {
    it(`agrees on ${name}`, async () => {
      expect(await crossChecked(caseNamed(name)).check(record())).toMatchObject({ kind: 'passed' })
    })
  }

  it('agrees on failures as well', async () => {
    expect(await crossChecked(caseNamed('handshake')).check(download(retrying))).toEqual({ kind: 'failed', reason: 'the server sent a Retry' })
  })

  it('leaves a run not verified when the readings differ, with both of them in the reason', async () => {
    const run = download()
    expect(await verdictOf('handshake', run)).toEqual({ kind: 'passed' })
    // What tshark gets to see from now on is another run.
    copyFileSync(downloadTwice(['a', 'b']).rightCapture, run.rightCapture)
    const [ours] = evidenceOf(run).right.filter(({ sender }) => sender === 'server').map(({ packets }) => packets[0]!.sourceId)
    const verdict = await crossChecked(caseNamed('handshake')).check(run)
    expect(verdict).toMatchObject({ kind: 'not-verified', reason: expect.stringMatching(/^passed by our reading, but Source Connection IDs of server Initials: /) })
    expect(verdict).toMatchObject({ reason: expect.stringMatching(new RegExp(`\\["${ours!}"\\] here, \\["[0-9a-f]{16}","[0-9a-f]{16}"\\] by tshark`)) })
  })
})

describe('without a second reading', () => {
  it('leaves a run not verified', async () => {
    const run = download()
    expect(await verdictOf('handshake', run)).toEqual({ kind: 'passed' })
    rmSync(run.leftCapture)
    expect(await crossChecked(caseNamed('handshake')).check(run)).toMatchObject({ kind: 'not-verified', reason: expect.stringMatching(/^passed by our reading, not cross-checked: tshark /) })
  })
})

describe('bytes of 1-RTT payload', () => {
  it('are compared over the packets that both readings could open', () => {
    const ours: Evidence = evidenceOf(download())
    const last = ours.left.findLastIndex(({ sender, packets }) => sender === 'client' && packets[0]?.type === '1-rtt')
    const readOtherwise = (change: object): Evidence => ({
      ...ours,
      left: ours.left.map((datagram, i) => (i === last ? { ...datagram, packets: datagram.packets.map((packet) => ({ ...packet, ...change })) } : datagram)),
    })
    const agree = (theirs: Evidence): boolean => clientOneRttBytes.comparable!(ours, theirs) === clientOneRttBytes.comparable!(theirs, ours)
    const closed = readOtherwise({ decrypted: false, payloadLength: 99 })
    expect(clientOneRttBytes.of(closed)).not.toBe(clientOneRttBytes.of(ours))
    expect(agree(closed)).toBe(true)
    expect(agree(readOtherwise({ payloadLength: 99 }))).toBe(false)
  })
})
