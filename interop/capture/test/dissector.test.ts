// The dissector against handshakes of our own stack on the simulator.

import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { NamedGroup } from '../../../packages/quic/src/crypto/provider.ts'
import { toHex } from '../../../packages/quic/src/base/bytes.ts'
import { MemorySessionStore } from '../../../packages/quic/src/tls/resumption/session-store.ts'
import { FrameType } from '../../../packages/quic/src/wire/constants.ts'
import { readCapture } from '../capture.ts'
import type { CapturedDatagram, CapturedPacket, CapturedPacketType, Sender } from '../datagram.ts'
import { readKeyLog } from '../key-log.ts'
import { pcapHeader, pcapRecord } from '../../link/pcap.ts'
import { readPcap } from '../pcap.ts'
import { RecordedNetwork, type RecordedOptions, type Side } from './recorded-network.ts'

const V2 = 0x6b3343cf
const SUITES = [0x1301, 0x1302, 0x1303] as const

function capture(network: RecordedNetwork, side: Side, keys: boolean = true): readonly CapturedDatagram[] {
  const { leftCapture, rightCapture, keyLogs } = network.save()
  return readCapture(side === 'left' ? leftCapture : rightCapture, readKeyLog(keys ? keyLogs[0]! : null))
}

function packets(capture: readonly CapturedDatagram[], sender?: Sender, type?: CapturedPacketType): CapturedPacket[] {
  return capture
    .filter((datagram) => sender === undefined || datagram.sender === sender)
    .flatMap((datagram) => datagram.packets)
    .filter((packet) => type === undefined || packet.type === type)
}

function undecrypted(capture: readonly CapturedDatagram[]): number {
  return packets(capture).filter(({ decrypted }) => !decrypted).length
}

function transfer(options: RecordedOptions = {}, ...how: Parameters<RecordedNetwork['connect']>): RecordedNetwork {
  const network = new RecordedNetwork({ files: { a: 60_000 }, ...options })
  const client = network.connect(...how)
  return network.confirm(client).download(client, 'a').close(client)
}

describe('a handshake and a transfer', () => {
  it('are read packet by packet', () => {
    const left = capture(transfer(), 'left')
    expect(undecrypted(left)).toBe(0)
    const [hello, answer, reply] = left
    expect(hello).toMatchObject({ sender: 'client', ipVersion: 4, source: '193.167.0.100:50000', destination: '193.167.100.100:443', length: 1200, ecn: 0, frame: 1 })
    expect(hello!.packets.map(({ type, version, packetNumber }) => [type, version, packetNumber])).toEqual([['initial', 1, 0]])
    expect(answer!.packets.map(({ type }) => type)).toEqual(['initial', 'handshake'])
    expect(answer!.packets[1]!.messages).toEqual([{ type: 8, initialMaxStreamsBidi: 100 }, { type: 11 }, { type: 15 }, { type: 20 }])
    expect(reply!.packets.map(({ type }) => type)).toEqual(['initial', 'handshake', '1-rtt'])
    expect(reply!.packets[2]).toMatchObject({ destinationId: answer!.packets[0]!.sourceId, sourceId: '', keyPhase: 0, version: 0 })
    const stream = packets(left, 'server', '1-rtt').flatMap(({ frames }) => frames.filter(({ type }) => type >= FrameType.stream && type <= FrameType.streamMax))
    expect(stream.reduce((sum, { length }) => sum + (length ?? 0), 0)).toBe(60_000)
    const numbers = packets(left, 'client', '1-rtt').map(({ packetNumber }) => packetNumber)
    expect(numbers.length).toBeGreaterThan(20)
    // Some are left out on purpose.
    expect(numbers.every((number, i) => number >= i && (i === 0 || number > numbers[i - 1]!))).toBe(true)
  })

  for (const suite of SUITES) {
    it(`is read with cipher suite ${suite.toString(16)}`, () => {
      const right = capture(transfer({}, {}, { cipherSuites: [suite], grease: false }), 'right')
      expect(undecrypted(right)).toBe(0)
      expect(packets(right, 'client', 'initial')[0]!.messages).toEqual([{ type: 1, cipherSuites: [suite] }])
    })
  }

  it('shows no more than headers without a key log, and Initial packets', () => {
    const left = capture(transfer(), 'left', false)
    expect(packets(left).filter(({ type, decrypted }) => decrypted !== (type === 'initial'))).toEqual([])
    const short = packets(left, 'server', '1-rtt')
    expect(short.length).toBeGreaterThan(40)
    expect(short.every(({ keyPhase, packetNumber, frames }) => keyPhase === null && packetNumber === -1 && frames.length === 0)).toBe(true)
  })

  it('is followed through loss, reordering and corruption', () => {
    const network = transfer({ seed: 7, files: { a: 300_000 }, conditions: { loss: 0.05, reorder: 0.1, corrupt: 0.03, duplicate: 0.02 } })
    const right = capture(network, 'right')
    // What the server sends is as it left; of what it gets some was corrupted.
    expect(packets(right, 'server').filter(({ decrypted }) => !decrypted)).toEqual([])
    expect(packets(right, 'client').filter(({ decrypted }) => decrypted).length).toBeGreaterThan(50)
  })
})

describe('a ClientHello of two packets', () => {
  it('is one message, with the packet that completes it', () => {
    const left = capture(transfer({}, {}, { groups: [NamedGroup.x25519MlKem768, NamedGroup.x25519] }), 'left')
    const initials = packets(left, 'client', 'initial').filter(({ frames }) => frames.some(({ type }) => type === FrameType.crypto))
    expect(initials.map(({ messages, repeatsCrypto }) => [messages.map(({ type }) => type), repeatsCrypto])).toEqual([
      [[], false],
      [[1], false],
    ])
  })
})

describe('versions', () => {
  it('may be 2, from the start or on the way', () => {
    const only2 = capture(transfer({ serverConfig: { versions: [V2] } }, { versions: [V2] }), 'left')
    expect(undecrypted(only2)).toBe(0)
    expect(new Set(packets(only2).map(({ version }) => version))).toEqual(new Set([V2, 0]))
    const moved = capture(transfer({ serverConfig: { versions: [1, V2], preferredVersion: V2 } }, { versions: [1, V2] }), 'right')
    expect(undecrypted(moved)).toBe(0)
    expect(packets(moved, 'client', 'initial')[0]!.version).toBe(1)
    expect(packets(moved, 'server', 'initial')[0]!.version).toBe(V2)
  })
})

describe('a Retry', () => {
  it('brings a token and other keys', () => {
    const policy = ({ validated }: { validated: boolean }): 'accept' | 'retry' => (validated ? 'accept' : 'retry')
    const left = capture(transfer({ endpoint: { policy } }), 'left')
    const [retry] = packets(left, 'server', 'retry')
    const [before, after] = packets(left, 'client', 'initial')
    expect(retry!.token).not.toBe('')
    expect(before).toMatchObject({ token: '', packetNumber: 0 })
    expect(after).toMatchObject({ token: retry!.token, packetNumber: 1, destinationId: retry!.sourceId, decrypted: true })
    expect(undecrypted(left)).toBe(1)
    expect(packets(left).filter(({ decrypted }) => !decrypted).map(({ type }) => type)).toEqual(['retry'])
  })
})

describe('0-RTT', () => {
  const names = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i).repeat(200))

  function early(): ReturnType<RecordedNetwork['save']> {
    const network = new RecordedNetwork({ files: Object.fromEntries(names.map((name) => [name, 500])) })
    const tls = { sessions: new MemorySessionStore(), earlyData: true }
    const one = network.connect({}, tls)
    network.confirm(one).download(one, names[0]!).close(one)
    const two = network.connect({}, tls, '193.167.0.100:50001')
    network.network.turnAll()
    return network.download(two, ...names).close(two).save()
  }

  it('is decrypted', () => {
    const { leftCapture, keyLogs } = early()
    const left = readCapture(leftCapture, readKeyLog(keyLogs[0]!))
    expect(packets(left, 'client', '0-rtt').length).toBeGreaterThan(3)
    expect(undecrypted(left)).toBe(0)
  })

  it('is decrypted when it was faster than its ClientHello', () => {
    const { leftCapture, keyLogs } = early()
    const keys = readKeyLog(keyLogs[0]!)
    const before = readCapture(leftCapture, keys)
    const firstEarly = before.find(({ packets }) => packets[0]?.type === '0-rtt')!
    const records = [...readPcap(leftCapture)]
    const at = records.findIndex(({ frame }) => frame === firstEarly.frame)
    // The datagram ahead of it has the ClientHello.
    records.splice(at - 1, 2, records[at]!, records[at - 1]!)
    writeFileSync(leftCapture, Buffer.concat([pcapHeader(), ...records.map(({ time, bytes }) => pcapRecord(bytes, 0, time))]))
    const after = readCapture(leftCapture, keys)
    expect(after[at - 1]!.packets.map(({ type, decrypted }) => [type, decrypted])).toEqual([['0-rtt', true]])
    expect(after[at - 1]!.packets[0]!.frames.length).toBeGreaterThan(0)
    expect(after[at]!.packets[0]).toMatchObject({ type: 'initial', messages: [{ type: 1 }] })
    expect(undecrypted(after)).toBe(0)
  })
})

describe('addresses and connection IDs', () => {
  for (const length of [8, 0]) {
    it(`may change, with client connection IDs of ${length} bytes`, () => {
      const network = new RecordedNetwork({ files: { a: 300_000 }, conditions: { bandwidth: 1e7 }, clientIdLength: length })
      const client = network.connect()
      network.confirm(client)
      for (const [i, delay] of [60, 140].entries()) network.network.at(network.network.now + delay, () => network.network.rebind('client 1', `193.167.0.${7 + i}:61234`))
      const right = capture(network.download(client, 'a').close(client), 'right')
      expect(new Set(right.filter(({ sender }) => sender === 'client').map(({ source }) => source)).size).toBe(3)
      expect(undecrypted(right)).toBe(0)
      const challenges = packets(right, 'server').flatMap(({ frames }) => frames.filter(({ type }) => type === FrameType.pathChallenge))
      expect(challenges.every(({ data }) => toHex(data!).length === 16) && challenges.length >= 2).toBe(true)
    })
  }

  it('may be those of a preferred address', () => {
    const preferred = '193.167.100.100:4443'
    const left = capture(transfer({ serverAddresses: [preferred], serverConfig: { preferredAddress: { ipv4: preferred } } }), 'left')
    expect(left.some(({ destination }) => destination === preferred)).toBe(true)
    expect(undecrypted(left)).toBe(0)
  })
})

describe('key updates', () => {
  it('are followed in both directions, several of them', () => {
    const network = new RecordedNetwork({ files: { a: 5000, b: 5000, c: 5000 } })
    const client = network.connect()
    network.confirm(client)
    for (const name of ['a', 'b', 'c']) {
      network.download(client, name)
      network.network.runFor(1500)
      client.connection.updateKeys()
    }
    const left = capture(network.close(client), 'left')
    expect(undecrypted(left)).toBe(0)
    const phases = (sender: Sender): number[] => packets(left, sender, '1-rtt').map(({ keyPhase }) => keyPhase!).filter((phase, i, all) => phase !== all[i - 1])
    expect(phases('client')).toEqual([0, 1, 0])
    expect(phases('server')).toEqual([0, 1, 0])
  })
})

describe('what is not QUIC', () => {
  it('is left out behind the packets of a datagram', () => {
    const seen: Uint8Array[] = []
    const padded: RecordedOptions['retouch'] = (_side, _from, _to, bytes, ecn) => {
      seen.push(bytes)
      return { bytes: seen.length === 1 ? Uint8Array.of(...bytes, ...new Uint8Array(40)) : bytes, ecn }
    }
    const left = capture(transfer({ retouch: padded }), 'left')
    expect(undecrypted(left)).toBe(0)
    expect(left[0]).toMatchObject({ length: 1240, packets: [{ type: 'initial', decrypted: true }] })
  })

  it('is shown as unknown, and other hosts are left out', () => {
    const network = transfer({
      retouch: (side, source, _to, bytes, ecn) => ({ bytes: side === 'left' && source.endsWith(':443') ? Uint8Array.of(0xc0, 2, 3) : bytes, ecn }),
    })
    const left = capture(network, 'left')
    expect(new Set(packets(left, 'server').map(({ type }) => type))).toEqual(new Set(['unknown']))
    const { leftCapture } = network.save()
    expect(readCapture(leftCapture, readKeyLog(null), { isServer: () => false })).toEqual([])
  })
})
