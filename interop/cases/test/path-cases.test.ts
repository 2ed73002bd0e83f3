// keyupdate, ecn, amplificationlimit, and the cases in which an address changes.

import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FrameType } from '../../../packages/quic/src/wire/constants.ts'
import { dropList } from '../../../packages/quic/src/testing/loss-model.ts'
import { RecordedNetwork, SERVER, type RecordedOptions } from '../../capture/test/recorded-network.ts'
import type { CapturedPacket } from '../../capture/datagram.ts'
import type { RunRecord } from '../case.ts'
import { evidenceOf } from '../evidence.ts'
import { amplificationIsLimited, movesUseFreshIds, newPathsAreValidated } from '../steps.ts'
import { altered, download, failed, verdictOf } from './recorded-cases.ts'

const PASSED = { kind: 'passed' }

function without(type: number): (packet: CapturedPacket) => CapturedPacket {
  return (packet) => ({ ...packet, frames: packet.frames.filter((frame) => frame.type !== type) })
}

describe('keyupdate', () => {
  function updating(updates: number): RunRecord {
    const network = new RecordedNetwork({ files: { a: 20_000, b: 20_000, c: 20_000 } })
    const client = network.connect()
    network.confirm(client).download(client, 'a')
    for (const name of ['b', 'c'].slice(0, updates)) {
      client.connection.updateKeys()
      network.download(client, name)
      network.network.runFor(2000)
    }
    if (updates === 0) network.download(client, 'b')
    if (updates < 2) network.download(client, 'c')
    return network.close(client).save()
  }

  it('passes with one update, and with two', async () => {
    expect(await verdictOf('keyupdate', updating(1))).toEqual(PASSED)
    expect(await verdictOf('keyupdate', updating(2))).toEqual(PASSED)
  })

  it('fails without one', async () => {
    expect(await verdictOf('keyupdate', updating(0))).toEqual(failed(/no client packet of key phase 1/))
  })

  it('fails when packets cannot be decrypted', async () => {
    const run = updating(1)
    writeFileSync(run.keyLogs[0]!, readFileSync(run.keyLogs[0]!, 'utf8').replace(/^SERVER_TRAFFIC_SECRET_0 .*\n/m, ''))
    expect(await verdictOf('keyupdate', run)).toEqual(failed(/0 1-RTT packets of the client and \d\d+ of the server cannot be decrypted/))
  })

  it('is not verified when the key log has no handshake', async () => {
    const run = updating(1)
    writeFileSync(run.keyLogs[0]!, 'CLIENT_RANDOM 00 00\n')
    expect(await verdictOf('keyupdate', run)).toMatchObject({ kind: 'not-verified' })
  })
})

describe('ecn', () => {
  const marking = { client: { ecnCapable: true }, server: { ecnCapable: true }, files: { a: 100_000 } }

  it('passes when both sides mark and report', async () => {
    expect(await verdictOf('ecn', download(marking))).toEqual(PASSED)
  })

  it('fails when one does not mark', async () => {
    expect(await verdictOf('ecn', download({ ...marking, client: {} }))).toEqual(failed(/no packet of the client is marked ECT/))
    expect(await verdictOf('ecn', download({ ...marking, server: {} }))).toEqual(failed(/no packet of the server is marked ECT/))
  })

  it('fails with a bleaching network, which leaves nothing to report, and with a Retry', async () => {
    expect(await verdictOf('ecn', download({ ...marking, conditions: { ecnBleach: true } }))).toEqual(failed(/no ACK with ECN counts of the client/))
    const retry = { endpoint: { policy: ({ validated }: { validated: boolean }) => (validated ? ('accept' as const) : ('retry' as const)) } }
    expect(await verdictOf('ecn', download({ ...marking, ...retry }))).toEqual(failed(/sent a Retry/))
  })

  it('fails when an endpoint marks some packets CE', async () => {
    let count = 0
    const retouch: RecordedOptions['retouch'] = (side, source, _to, bytes, ecn) => ({ bytes, ecn: side === 'right' && source === SERVER && (count += 1) % 10 === 0 ? 3 : ecn })
    expect(await verdictOf('ecn', download({ ...marking, retouch }))).toEqual(failed(/^\d+ packets of the server are marked CE$/))
  })
})

describe('amplificationlimit', () => {
  const options = { bigCertificate: true, client: { handshakeTimeout: 60_000 }, server: { handshakeTimeout: 60_000 } }
  const tls = { certificateCompression: false }

  function dropping(): RunRecord {
    const network = new RecordedNetwork({ ...options, files: { a: 5000 }, serverTls: tls })
    network.network.link('client 1', 'server', { loss: dropList(2, 3, 4, 5, 6, 7) })
    const client = network.connect({}, tls)
    return network.confirm(client).download(client, 'a').close(client).save()
  }

  it('passes when the server waits', async () => {
    expect(await verdictOf('amplificationlimit', dropping())).toEqual(PASSED)
  })

  it('fails when its flight is too short to tell', async () => {
    expect(await verdictOf('amplificationlimit', download())).toEqual(failed(/flight has \d+ bytes, below 7500/))
    expect(await verdictOf('amplificationlimit', download({ ...options, serverTls: {} }))).toEqual(failed(/below 7500/))
  })

  it('fails above four times what the server got, and without the Handshake packet of the client', () => {
    const run = dropping()
    const { left, right } = evidenceOf(run)
    const first = right.findIndex(({ sender }) => sender === 'server')
    const more = { left, right: right.toSpliced(first, 0, ...Array.from({ length: 4 }, () => right[first]!)) }
    expect(amplificationIsLimited.judge(more, run)).toMatch(/^a server datagram of 1200 bytes with 1200 left of four times/)
    const validated = right.findIndex(({ sender, packets }) => sender === 'client' && packets[0]?.type === 'handshake')
    const unvalidated = right.map((datagram, i) => (i < validated ? datagram : { ...datagram, length: 0 })).filter(({ sender }, i) => i < validated || sender === 'server')
    expect(amplificationIsLimited.judge({ left, right: unvalidated }, run)).toMatch(/no client datagram that begins with a Handshake packet/)
    const strange = altered(run, (packet, { sender }) => (sender === 'client' && packet.type === 'initial' ? { ...packet, type: 'unknown' } : packet))
    expect(amplificationIsLimited.judge(strange, run)).toMatch(/a packet of the client of type unknown/)
  })
})

describe('rebind-port and rebind-addr', () => {
  function rebinding(address: string, options: RecordedOptions = {}): RunRecord {
    const network = new RecordedNetwork({ files: { a: 400_000 }, conditions: { bandwidth: 1e7 }, ...options })
    const client = network.connect()
    network.confirm(client)
    if (address !== '') network.network.at(network.network.now + 150, () => network.network.rebind('client 1', address))
    return network.download(client, 'a').close(client).save()
  }

  const PORT = '193.167.0.100:61234'
  const ADDRESS = '193.167.0.77:61234'

  it('pass when the server challenges the new path at once and gets its answer', async () => {
    expect(await verdictOf('rebind-port', rebinding(PORT))).toEqual(PASSED)
    expect(await verdictOf('rebind-addr', rebinding(ADDRESS))).toEqual(PASSED)
  })

  it('follow a client that has no connection ID', async () => {
    expect(await verdictOf('rebind-addr', rebinding(ADDRESS, { clientIdLength: 0 }))).toEqual(PASSED)
  })

  it('fail without a new address', async () => {
    expect(await verdictOf('rebind-port', rebinding(''))).toEqual(failed(/the server saw one path only/))
    expect(await verdictOf('rebind-addr', rebinding(PORT))).toEqual(failed(/the server saw the client at 193\.167\.0\.100 only/))
  })

  it('fail when the first packet on the path has no PATH_CHALLENGE', async () => {
    let first = true
    const retouch: RecordedOptions['retouch'] = (side, _from, to, bytes, ecn) => {
      const cut = side === 'right' && to === PORT && first
      if (cut) first = false
      return cut ? null : { bytes, ecn }
    }
    expect(await verdictOf('rebind-port', rebinding(PORT, { retouch }))).toEqual(failed(/no PATH_CHALLENGE in the first packet of the server on 193\.167\.100\.100:443 to 193\.167\.0\.100:61234/))
  })

  it('fail when the challenge has no answer', () => {
    const run = rebinding(PORT)
    expect(newPathsAreValidated.judge(altered(run, without(FrameType.pathResponse)), run)).toMatch(/^no PATH_RESPONSE to [0-9a-f]{16}$/)
  })
})

describe('connectionmigration', () => {
  const PREFERRED = '193.167.100.100:4443'

  function migrating(client: 'follow' | 'ignore', preferred: string = PREFERRED): RunRecord {
    const network = new RecordedNetwork({ files: { a: 200_000 }, serverAddresses: [PREFERRED], serverConfig: { preferredAddress: { ipv4: preferred } } })
    const peer = network.connect({ preferredAddress: client })
    return network.confirm(peer).download(peer, 'a').close(peer).save()
  }

  it('passes when the client goes where the server wants it, with another connection ID', async () => {
    expect(await verdictOf('connectionmigration', migrating('follow'))).toEqual(PASSED)
  })

  it('fails when it stays', async () => {
    expect(await verdictOf('connectionmigration', migrating('ignore'))).toEqual(failed(/the server saw one path only/))
  })

  it('fails when it goes there with the connection ID it had', () => {
    const run = migrating('follow')
    const evidence = altered(run, (packet) => ({ ...packet, destinationId: '0102030405060708' }))
    expect(movesUseFreshIds.judge(evidence, run)).toMatch(/first packet on 193\.167\.0\.100:50000 to 193\.167\.100\.100:4443 has the same/)
  })
})
