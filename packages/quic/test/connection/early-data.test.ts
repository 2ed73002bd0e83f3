// 0-RTT through the transport, when all goes well and when packets get lost: RFC 9000 §5.2.2, §17.2.3; RFC 9001 §4.6, §4.9.3, §5.6,
// §5.7; RFC 9369 §4.1, §5.

import { describe, expect, it } from 'vitest'
import type { IncomingPolicy } from '../../src/endpoint/incoming.ts'
import type { FrameRecord } from '../../src/trace/sink.ts'
import { PacketType } from '../../src/wire/constants.ts'
import { HeaderView, parseHeader } from '../../src/wire/header.ts'
import { providers } from '../crypto/provider-under-test.ts'
import { ACCEPTED, AGAIN, Reunion, Told, answers } from './early-data.ts'
import { SERVER, echo, pattern } from './pair.ts'
import type { Peer } from './pair.ts'

const V1 = 1
const V2 = 0x6b3343cf

describe('early data that is accepted', () => {
  for (const provider of providers) {
    it(`goes out behind the ClientHello and is answered, ${provider.name}`, () => {
      const reunion = new Reunion({ provider })
      const data = pattern(3000)
      let id = -1
      const client = reunion.meet((peer) => {
        expect(peer.connection.isInEarlyData()).toBe(true)
        expect(peer.connection.streamsLeft(true)).toBe(100)
        id = peer.send(data)
      })
      expect(id).toBe(0)
      expect(reunion.earlyPackets().length).toBeGreaterThan(2)
      reunion.confirm(client)
      reunion.pair.network.run(() => client.finished.has(id))
      expect(client.bytesOf(id)).toEqual(data)
      expect(answers(client)).toEqual([ACCEPTED])
      expect(answers(reunion.server)).toEqual([ACCEPTED])
      expect(reunion.early.get(id)).toBe(true)
      expect(client.connection.isInEarlyData()).toBe(false)
      expect(client.connection.handshakeInfo()).toMatchObject({ resumed: true, earlyData: true })
      expect(client.connection.stats().packetsLost).toBe(0)
      const later = client.send(data)
      reunion.pair.network.run(() => client.finished.has(later))
      expect(reunion.early.get(later)).toBe(false)
    })
  }

  it('is answered after one round trip, in 1-RTT packets of a server that has not heard the client finish (0.5-RTT)', () => {
    const answeredIn: string[] = []
    const reunion = new Reunion({
      serve: (peer, event) => {
        echo(peer, event)
        if (event.kind === 'stream-readable') answeredIn.push(`${peer.connection.isEstablished()} ${peer.connection.isInEarlyData()}`)
      },
    })
    const start = reunion.pair.network.now
    const client = reunion.meet((peer) => void peer.send(pattern(200)))
    reunion.pair.network.run(() => client.finished.has(0))
    // 10 ms each way.
    expect(reunion.pair.network.now - start).toBe(20)
    expect(answeredIn).toEqual(['false true'])
  })

  it('carries DATAGRAM frames within the remembered limit (RFC 9221 §3)', () => {
    const reunion = new Reunion()
    const client = reunion.meet((peer) => {
      const size = peer.connection.datagramMaxSize()
      expect(size).toBeGreaterThan(1000)
      expect(peer.connection.datagramSend(pattern(size))).toBe(true)
      expect(peer.connection.datagramSend(pattern(size + 1))).toBe(false)
    })
    expect(reunion.earlyPackets()).toHaveLength(1)
    reunion.confirm(client)
    expect(reunion.server.connection.datagramReceive()?.length).toBeGreaterThan(1000)
  })

  it('keeps within the remembered credit, and goes on with what the handshake allows', () => {
    const told = new Told()
    const limits = { initialMaxData: 2000, initialMaxStreamData: 1500, initialMaxStreamsBidi: 2 }
    const reunion = new Reunion({ clientTrace: told.sink, server: limits })
    const server = { initialMaxData: 100_000, initialMaxStreamData: 60_000, initialMaxStreamsBidi: 50 }
    const data = pattern(40_000)
    const client = reunion.meet(
      (peer) => {
        peer.send(data)
        peer.send(data)
        expect(peer.connection.openStream(true)).toBe(-1)
      },
      { server },
    )
    reunion.confirm(client)
    const early = told.of('packetSent').filter(([type]) => type === PacketType.zeroRtt)
    const frames = early.flatMap(([, , , list]) => list as readonly FrameRecord[])
    expect(frames.reduce((sum, frame) => sum + (frame.length ?? 0), 0)).toBe(2000)
    reunion.pair.network.run(() => client.finished.has(0) && client.finished.has(4))
    expect(client.bytesOf(4)).toEqual(data)
    expect(client.events).toContainEqual({ kind: 'streams-available', streamId: -1, bidirectional: true })
    expect(answers(client)).toEqual([ACCEPTED])
  })

  it('is not sent unless the application asks for it, and leaves streams closed until the handshake is complete', () => {
    const reunion = new Reunion()
    const client = reunion.meet((peer) => expect(peer.connection.openStream(true)).toBe(-1), { clientTls: { earlyData: false } })
    reunion.confirm(client)
    expect(client.connection.handshakeInfo()?.resumed).toBe(true)
    expect(client.connection.isInEarlyData()).toBe(false)
    expect(answers(client)).toEqual([])
    expect(answers(reunion.server)).toEqual([])
  })
})

describe('0-RTT keys (RFC 9001 §4.9.3)', () => {
  it('go when the 1-RTT keys come, on a client; three probe timeouts after the first 1-RTT packet, on a server', () => {
    const clientTold = new Told()
    const serverTold = new Told()
    const reunion = new Reunion({ clientTrace: clientTold.sink, serverTrace: serverTold.sink })
    const client = reunion.meet((peer) => void peer.send(pattern(200)))
    reunion.confirm(client)
    expect(clientTold.of('keyUpdated')).toContainEqual([1, 'client', -1, 'tls'])
    expect(clientTold.of('keyDiscarded')).toContainEqual([1, 'client', -1, 'tls'])
    expect(serverTold.of('keyUpdated')).toContainEqual([1, 'client', -1, 'tls'])
    expect(serverTold.of('keyDiscarded').filter(([level]) => level === 1)).toEqual([])
    reunion.pair.network.runFor(400)
    expect(serverTold.of('keyDiscarded').filter(([level]) => level === 1)).toEqual([[1, 'client', -1, 'tls']])
    expect(clientTold.of('packetSent').filter(([type]) => type === PacketType.zeroRtt)).toHaveLength(reunion.earlyPackets().length)
    expect(serverTold.of('packetReceived').filter(([type]) => type === PacketType.zeroRtt)).toHaveLength(reunion.earlyPackets().length)
  })

  it('still open a packet that was overtaken by the first 1-RTT packets', () => {
    const told = new Told()
    const reunion = new Reunion({ serverTrace: told.sink })
    const data = pattern(2500)
    let held = 0
    const { network } = reunion.pair
    network.setFilter((bytes, from) => {
      // The second datagram, which has nothing but a 0-RTT packet.
      if (from !== AGAIN || (bytes[0]! & 0xf0) !== 0xd0 || held++ > 0) return bytes
      network.inject(bytes, from, SERVER, 50)
      return null
    })
    const client = reunion.meet((peer) => void peer.send(data))
    reunion.confirm(client)
    const types = (): unknown[] => told.of('packetReceived').map(([type]) => type)
    network.run(() => types().lastIndexOf(PacketType.zeroRtt) > types().lastIndexOf(PacketType.handshake))
    expect(held).toBeGreaterThan(0)
    network.run(() => client.finished.has(0))
    expect(client.bytesOf(0)).toEqual(data)
  })
})

describe('early data on a network that loses and reorders', () => {
  it('arrives whichever datagram of either side is lost', () => {
    for (let k = 1; k <= 7; k += 1) {
      for (const side of [AGAIN, SERVER]) {
        const reunion = new Reunion({ seed: k, scenario: `datagram ${k} from ${side} is lost` })
        let count = 0
        reunion.pair.network.setFilter((bytes, from, to) => {
          if (from !== side || (from !== AGAIN && to !== AGAIN)) return bytes
          count += 1
          return count === k ? null : bytes
        })
        const data = pattern(6000)
        const client = reunion.meet((peer) => void peer.send(data))
        reunion.confirm(client)
        reunion.pair.network.run(() => client.finished.has(0))
        expect(client.bytesOf(0)).toEqual(data)
        expect(answers(client)).toEqual([ACCEPTED])
      }
    }
  })

  it('is sent again in 1-RTT packets when every 0-RTT packet is lost (RFC 9002 §6.2.1)', () => {
    const reunion = new Reunion()
    reunion.pair.network.setFilter((bytes, from) => {
      if (from !== AGAIN) return bytes
      // An Initial packet keeps its datagram, whose rest is noise then.
      if ((bytes[0]! & 0xf0) === 0xd0) return null
      return bytes
    })
    const data = pattern(20_000)
    const client = reunion.meet((peer) => void peer.send(data))
    reunion.confirm(client)
    reunion.pair.network.run(() => client.finished.has(0))
    expect(client.bytesOf(0)).toEqual(data)
    expect(reunion.server.connection.streamIsEarly(0)).toBe(true)
  })

  it('waits on the server for a ClientHello that comes late (RFC 9001 §5.7)', () => {
    // Two datagrams for a hybrid key share, and 0-RTT packets behind them.
    const told = new Told()
    const reunion = new Reunion({ clientTls: { groups: undefined }, clientTrace: told.sink })
    const { network } = reunion.pair
    const first: Uint8Array[] = []
    network.setFilter((bytes, from) => {
      if (from !== AGAIN || first.length > 0) return bytes
      first.push(bytes.slice())
      network.inject(bytes, from, SERVER, 18)
      return null
    })
    const client = reunion.meet((peer) => void peer.send(pattern(1500)))
    network.run(() => client.connection.isConfirmed() && client.finished.has(0))
    expect(reunion.early.get(0)).toBe(true)
    expect(told.of('packetLost').filter(([type]) => type === PacketType.zeroRtt)).toEqual([])
  })

  it('waits at the endpoint for an Initial packet that comes late (RFC 9000 §5.2.2)', () => {
    const reunion = new Reunion()
    const { network } = reunion.pair
    let late = false
    network.setFilter((bytes, from) => {
      if (from !== AGAIN || late) return bytes
      late = true
      network.inject(bytes, from, SERVER, 18)
      return null
    })
    const data = pattern(5000)
    const client = reunion.meet((peer) => void peer.send(data))
    network.run(() => client.connection.isConfirmed() && client.finished.has(0))
    expect(client.bytesOf(0)).toEqual(data)
    expect(client.connection.stats().packetsLost).toBe(0)
  })

  it('survives ten seeds of loss, duplication and reordering', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const reunion = new Reunion({ seed, scenario: 'early data under loss', clientTls: { groups: seed % 2 === 0 ? undefined : [0x001d] } })
      reunion.pair.network.between('again', 'server', { jitter: 15, duplicate: 0.05, loss: 0.1 })
      const data = pattern(30_000, seed)
      const client = reunion.meet((peer) => {
        peer.send(data)
        peer.send(pattern(100))
      })
      reunion.pair.network.run(() => client.finished.has(0) && client.finished.has(4))
      expect(client.bytesOf(0)).toEqual(data)
      expect(client.connection.closeReason()).toBeNull()
    }
  })

  it('never makes a server send more than three times what it received (RFC 9000 §8.1)', () => {
    const reunion = new Reunion({
      serve: (peer, event) => {
        if (event.kind === 'stream-opened') peer.write(event.streamId, pattern(200_000), true)
      },
    })
    const { network } = reunion.pair
    let received = 0
    let sent = 0
    network.observe(({ from, to, bytes }) => {
      if (from === AGAIN) received += bytes.length
      if (to === AGAIN) sent += bytes.length
    })
    // The server never hears of the client again after its first flight.
    let flight = true
    network.setFilter((bytes, from) => (from === AGAIN && !flight ? null : bytes))
    reunion.meet((peer) => void peer.send(pattern(100)))
    flight = false
    const first = received
    network.runFor(3000)
    expect(sent).toBeGreaterThan(first)
    expect(sent).toBeLessThanOrEqual(3 * first)
  })
})

describe('a Retry in between (RFC 9000 §17.2.3)', () => {
  it('makes the client send its early data again, under the same keys and with new packet numbers', () => {
    const told = new Told()
    let retry = false
    const policy: IncomingPolicy = ({ validated }) => (retry && !validated ? 'retry' : 'accept')
    const reunion = new Reunion({ clientTrace: told.sink, endpoint: { policy } })
    retry = true
    const data = pattern(4000)
    const client = reunion.meet((peer) => void peer.send(data), { clientTls: { earlyData: true } })
    reunion.confirm(client)
    reunion.pair.network.run(() => client.finished.has(0))
    expect(client.bytesOf(0)).toEqual(data)
    expect(answers(client)).toEqual([ACCEPTED])
    expect(reunion.early.get(0)).toBe(true)
    const numbers = told.of('packetSent').filter(([type]) => type === PacketType.zeroRtt).map(([, number]) => number)
    expect(numbers.length).toBeGreaterThan(7)
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(told.of('keyUpdated').filter(([level]) => level === 1)).toHaveLength(1)
    expect(client.connection.stats().packetsLost).toBe(0)
  })
})

describe('QUIC versions', () => {
  it('may change by compatible negotiation while 0-RTT packets keep the original one (RFC 9369 §4.1)', () => {
    const serverConfig = { preferredVersion: V1 }
    const reunion = new Reunion({ serverConfig })
    serverConfig.preferredVersion = V2
    const data = pattern(20_000)
    const client = reunion.meet((peer) => void peer.send(data))
    reunion.confirm(client)
    reunion.pair.network.run(() => client.finished.has(0))
    expect(client.bytesOf(0)).toEqual(data)
    expect(client.connection.version()).toBe(V2)
    expect(client.connection.handshakeInfo()).toMatchObject({ resumed: true, earlyData: true })
    expect(new Set(reunion.earlyPackets().map(({ version }) => version))).toEqual(new Set([V1]))
    expect(reunion.packets.filter(({ type }) => type === PacketType.handshake).every(({ version }) => version === V2)).toBe(true)
  })

  it('are not changed in 0-RTT packets even when the client knows of the new one (RFC 9369 §4.1)', () => {
    const serverConfig = { preferredVersion: V1 }
    const reunion = new Reunion({ serverConfig })
    serverConfig.preferredVersion = V2
    const { network } = reunion.pair
    const view = new HeaderView()
    let answered = false
    // Of the server's answer only its Initial packets arrive at first.
    network.setFilter((bytes, from, to) => {
      if (from !== SERVER || to !== AGAIN || answered) return bytes
      parseHeader(view, bytes, 0, bytes.length, 8, true)
      return view.packetType === PacketType.initial ? bytes.subarray(0, view.packetEnd) : null
    })
    const client = reunion.meet((peer) => void peer.send(pattern(100)))
    network.run(() => client.connection.version() === V2)
    expect(client.connection.isInEarlyData()).toBe(true)
    const before = reunion.earlyPackets().length
    const id = client.send(pattern(3000))
    network.runFor(5)
    answered = true
    expect(reunion.earlyPackets().length).toBeGreaterThan(before)
    expect(new Set(reunion.earlyPackets().map(({ version }) => version))).toEqual(new Set([V1]))
    network.run(() => client.connection.isConfirmed() && client.finished.has(id))
    expect(client.bytesOf(id)).toEqual(pattern(3000))
  })

  it('have their own sessions: one of version 2 is not used for version 1, and the other way round (RFC 9369 §5)', () => {
    for (const [first, second] of [[V1, V2], [V2, V1]] as const) {
      const clientConfig = { versions: [first] }
      const reunion = new Reunion({ clientConfig })
      clientConfig.versions = [second]
      const client = reunion.meet()
      reunion.confirm(client)
      expect(client.connection.handshakeInfo()).toMatchObject({ resumed: false })
      clientConfig.versions = [first]
      const third = reunion.pair.connect('third', '10.0.0.4:5000')
      const id = third.send(pattern(2000))
      reunion.pair.network.run(() => third.connection.isConfirmed() && third.finished.has(id))
      expect(reunion.packets.filter(({ type }) => type === PacketType.zeroRtt).map(({ version }) => version)).toContain(first)
      expect(third.connection.handshakeInfo()).toMatchObject({ resumed: true, earlyData: true })
    }
  })

  it('of a session are the negotiated ones (RFC 9369 §5)', () => {
    const clientConfig = { originalVersion: V1 }
    const reunion = new Reunion({ clientConfig, serverConfig: { preferredVersion: V2 } })
    const resumes = (peer: Peer): boolean | undefined => {
      reunion.confirm(peer)
      return peer.connection.handshakeInfo()?.resumed
    }
    expect(reunion.pair.client.connection.version()).toBe(V2)
    expect(resumes(reunion.meet())).toBe(false)
    clientConfig.originalVersion = V2
    const third = reunion.pair.connect('third', '10.0.0.4:5000')
    reunion.pair.network.turnAll()
    expect(resumes(third)).toBe(true)
  })

  it('are checked by the server: a ticket of another one means a full handshake (RFC 9369 §5)', () => {
    const clientConfig = { versions: [V1] }
    const reunion = new Reunion({ clientConfig })
    const session = reunion.sessions.take('test.example')!
    // A client that does not keep them apart.
    reunion.sessions.put(`test.example 0x${V2.toString(16)}`, session)
    clientConfig.versions = [V2]
    const data = pattern(3000)
    const client = reunion.meet((peer) => void peer.send(data))
    expect(reunion.earlyPackets().length).toBeGreaterThan(0)
    reunion.confirm(client)
    expect(client.connection.handshakeInfo()).toMatchObject({ resumed: false, earlyData: false })
    reunion.pair.network.run(() => client.finished.has(0))
    expect(client.bytesOf(0)).toEqual(data)
    expect(reunion.early.get(0)).toBe(false)
  })
})
