// Retry of a server: address validation during connection establishment (RFC 9000 §8.1.2, §8.1.4, §17.2.5, §7.3).

import { describe, expect, it } from 'vitest'
import type { IncomingVerdict } from '../../src/endpoint/incoming.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { CLIENT, SERVER, pattern } from '../connection/pair.ts'
import { Site, firstDatagram, tokenOf } from './site.ts'

const OTHER = '10.0.0.9:5000'
const KEY = new Uint8Array(32).fill(5)
const OTHER_KEY = new Uint8Array(32).fill(6)

describe('a Retry round trip (RFC 9000 §8.1.2)', () => {
  it('validates the address before there is any state', () => {
    const validated: boolean[] = []
    const site = new Site({
      policy: (incoming) => {
        validated.push(incoming.validated)
        expect(site.endpoint.size).toBe(0)
        return 'retry'
      },
    })
    const client = site.connect()
    site.confirm(client)
    // A ClientHello may take several datagrams; each of the first flight is a stranger's.
    expect(validated.at(-1)).toBe(true)
    expect(validated.filter((yes) => yes)).toHaveLength(1)
    expect(site.retries()).toHaveLength(validated.length - 1)
    expect(site.servers).toHaveLength(1)
  })

  it('carries the token in every Initial after it, to the connection ID it chose (§8.1.2, §17.2.5.2)', () => {
    const site = new Site({ policy: () => 'retry' })
    site.confirm(site.connect())
    const [retry] = site.retries()
    const before = site.initials().filter((packet) => packet.time < retry!.time + 10)
    const after = site.initials().slice(before.length)
    const [first] = before
    for (const packet of before) expect(packet.token).toHaveLength(0)
    expect(after.length).toBeGreaterThan(0)
    for (const packet of after) expect(packet.token).toEqual(retry!.token)
    expect(after[0]!.destination).toEqual(retry!.source)
    expect(retry!.destination).toEqual(first!.source)
    expect(retry!.source).not.toEqual(first!.destination)
  })

  it('is proved by the transport parameters (§7.3): the client checks them, and both sides agree on the original connection ID', () => {
    const site = new Site({ policy: () => 'retry' })
    const client = site.connect()
    site.confirm(client)
    const parameters = client.connection.peerTransportParameters()!
    const [first] = site.initials()
    expect(parameters.originalDestinationConnectionId).toEqual(first!.destination)
    expect(parameters.retrySourceConnectionId).toEqual(site.retries()[0]!.source)
    expect(site.servers[0]!.connection.originalDestinationConnectionId).toEqual(first!.destination)
  })

  it('without one there is no retry_source_connection_id', () => {
    const site = new Site()
    const client = site.connect()
    site.confirm(client)
    expect(client.connection.peerTransportParameters()!.retrySourceConnectionId).toBeNull()
  })

  it('lifts the amplification limit at once (§8.1)', () => {
    const bytesBeforeClientsNextFlight = (policy: 'accept' | 'retry'): number => {
      const site = new Site({ policy: () => policy, bigCertificate: true })
      site.confirm(site.connect())
      const answered = site.initials().find((packet) => policy === 'accept' || packet.token.length > 0)!
      const next = site.seen.find((packet) => packet.from === CLIENT && packet.time > answered.time)!
      const flight = site.seen.filter((packet) => packet.from === SERVER && packet.type !== PacketType.retry && packet.time < next.time)
      return flight.reduce((sum, packet) => sum + packet.bytes.length, 0)
    }
    expect(bytesBeforeClientsNextFlight('accept')).toBeLessThanOrEqual(7200)
    expect(bytesBeforeClientsNextFlight('retry')).toBeGreaterThan(7200)
  })

  it('survives 30 % loss, and the data is whole', () => {
    for (let seed = 1; seed <= 15; seed += 1) {
      const site = new Site({ seed, policy: () => 'retry', conditions: { loss: 0.3 } })
      const client = site.connect()
      site.network.run(() => client.connection.isConfirmed() || client.connection.closeReason() !== null)
      if (!client.connection.isConfirmed()) {
        expect(client.connection.closeReason()).toMatchObject({ cause: 'handshake-timeout' })
        continue
      }
      const id = client.send(pattern(20_000))
      site.network.turnAll()
      const server = site.servers.find((peer) => peer.connection.isEstablished())!
      site.network.run(() => server.finished.has(id))
      expect(server.bytesOf(id)).toEqual(pattern(20_000))
    }
  })

  it('a lost Retry is made again, differently; nothing was kept of the first', () => {
    const site = new Site({ policy: () => 'retry' })
    const start = site.network.now
    site.network.setFilter((bytes, from) => (from === SERVER && site.network.now < start + 100 ? null : bytes))
    site.confirm(site.connect())
    const retries = site.retries()
    expect(retries.length).toBeGreaterThan(1)
    expect(new Set(retries.map((packet) => packet.token.join())).size).toBe(retries.length)
    expect(new Set(retries.map((packet) => packet.source.join())).size).toBe(retries.length)
  })
})

describe('what a Retry answers', () => {
  const path = { local: SERVER, remote: CLIENT }
  const transmitted = (site: Site): number => {
    const out = { buffer: new Uint8Array(1500), length: 0, path: null, ecn: 0 }
    return site.endpoint.transmitStateless(out) ? out.length : 0
  }

  it('only Initials of at least 1200 bytes (§14.1), with far fewer bytes', () => {
    const site = new Site({ policy: () => 'retry' })
    const first = firstDatagram(1)
    site.endpoint.receive(first.slice(0, 1199), path, 1000)
    expect(transmitted(site)).toBe(0)
    site.endpoint.receive(first, path, 1000)
    const size = transmitted(site)
    expect(size).toBeGreaterThan(50)
    expect(size).toBeLessThan(200)
  })

  it('no other packet type', () => {
    const site = new Site({ policy: () => 'retry' })
    for (const type of [0x10, 0x20, 0x30]) {
      const datagram = firstDatagram(1)
      datagram[0] = (datagram[0]! & 0xcf) | type
      site.endpoint.receive(datagram, path, 1000)
    }
    expect(transmitted(site)).toBe(0)
  })
})

/** Stops the client's answer to the Retry, and gives its first datagram to the test. */
function heldBack(site: Site): { initial: Uint8Array; client: ReturnType<Site['connect']> } {
  const held: Uint8Array[] = []
  site.network.setFilter((bytes, from) => {
    if (from !== CLIENT || tokenOf(bytes).length === 0) return bytes
    held.push(bytes.slice())
    return null
  })
  const client = site.connect()
  site.network.run(() => held.length > 0)
  site.network.setFilter(null)
  return { initial: held[0]!, client }
}

describe('Retry tokens that do not validate (RFC 9000 §8.1.2): INVALID_TOKEN, statelessly', () => {
  const INVALID = { cause: 'peer', application: false, code: TransportErrorCode.invalidToken }

  it('an expired one', () => {
    const site = new Site({ policy: () => 'retry', retryTokenLifetime: 400 })
    const { client, initial } = heldBack(site)
    site.network.inject(initial, CLIENT, SERVER, 500)
    expect(site.end(client)).toMatchObject(INVALID)
    expect(site.endpoint.size).toBe(0)
    expect(site.servers).toHaveLength(0)
  })

  it('one that comes just in time is fine', () => {
    const site = new Site({ policy: () => 'retry', retryTokenLifetime: 400 })
    const { client, initial } = heldBack(site)
    site.network.inject(initial, CLIENT, SERVER, 300)
    site.confirm(client)
  })

  it('one from another port, and one from another address (§8.1.4)', () => {
    for (const elsewhere of ['10.0.0.1:5001', OTHER]) {
      const site = new Site({ policy: () => 'retry' })
      const { initial } = heldBack(site)
      const before = site.seen.length
      site.network.inject(initial, elsewhere, SERVER)
      site.network.runFor(5)
      expect(site.endpoint.size).toBe(0)
      const answers = site.seen.slice(before).filter((packet) => packet.to === elsewhere)
      expect(answers.map((packet) => packet.type)).toEqual([PacketType.initial])
      expect(answers[0]!.bytes.length).toBeLessThan(100)
    }
  })

  it('one for another connection ID, or damaged anywhere behind its mark', () => {
    const random = new SeededRandom(3)
    for (let i = 0; i < 40; i += 1) {
      const site = new Site({ policy: () => 'retry' })
      const { initial } = heldBack(site)
      const view = site.initials().at(-1)!
      const tokenAt = 6 + view.destination.length + 1 + view.source.length + 1
      // The connection ID, or the token behind its four-byte mark; a token of 64 bytes or more has a two-byte length.
      const at = i < 4 ? 6 + i : tokenAt + 1 + 4 + random.below(view.token.length - 4)
      const damaged = initial.slice()
      damaged[at]! ^= 1 << random.below(8)
      const before = site.seen.length
      site.network.inject(damaged, CLIENT, SERVER)
      site.network.runFor(1)
      expect(site.endpoint.size).toBe(0)
      expect(site.seen.slice(before).filter((packet) => packet.from === SERVER).map((packet) => packet.type)).toEqual([PacketType.initial])
    }
  })

  it('one of a server whose key is not known here', () => {
    const site = new Site({ policy: () => 'retry', tokenKeys: [KEY] })
    const stranger = new Site({ policy: () => 'retry', tokenKeys: [OTHER_KEY] })
    const { initial, client } = heldBack(stranger)
    const before = site.seen.length
    site.network.inject(initial, CLIENT, SERVER)
    site.network.runFor(5)
    const answer = site.seen.slice(before).find((packet) => packet.from === SERVER)!
    stranger.network.inject(answer.bytes, SERVER, CLIENT)
    expect(stranger.end(client)).toMatchObject(INVALID)
  })

  it('are met with silence where the policy says so, and CONNECTION_REFUSED where it says that', () => {
    let verdict: IncomingVerdict = 'retry'
    const site = new Site({ policy: () => verdict, retryTokenLifetime: 0 })
    const { initial, client } = heldBack(site)
    verdict = 'ignore'
    const out = { buffer: new Uint8Array(1500), length: 0, path: null, ecn: 0 }
    site.endpoint.receive(initial.slice(), { local: SERVER, remote: CLIENT }, site.network.now)
    expect(site.endpoint.transmitStateless(out)).toBe(false)
    verdict = 'refuse'
    site.network.inject(initial, CLIENT, SERVER)
    expect(site.end(client)).toMatchObject({ code: TransportErrorCode.connectionRefused })
  })
})

describe('keys several machines share', () => {
  it('a token sealed by one validates at the other, whatever its clock, given a time they share', () => {
    const offset = 1_000_000_000
    const config = { policy: () => 'retry' as const, tokenKeys: [KEY] }
    const site = new Site({ ...config, tokenTime: (now) => now })
    // The second machine's monotonic clock began elsewhere; both tell Unix time.
    const twin = new Site({ ...config, tokenTime: (now) => now - offset })
    const { initial } = heldBack(site)
    expect(twin.endpoint.receive(initial, { local: SERVER, remote: CLIENT }, site.network.now + offset)).not.toBeNull()
    const accepted = twin.endpoint.pollIncoming()!
    expect(accepted.isRemoteAddressValidated()).toBe(true)
    expect(accepted.originalDestinationConnectionId).toEqual(site.initials()[0]!.destination)
  })

  it('the client of one finishes with the other', () => {
    const config = { policy: () => 'retry' as const, tokenKeys: [KEY] }
    const site = new Site(config)
    const twin = new Site(config)
    const { initial, client } = heldBack(site)
    // From here on everything goes to the twin and back.
    site.network.remove('server')
    site.network.add('twin', twin.node, SERVER)
    site.network.inject(initial, CLIENT, SERVER)
    site.confirm(client)
    expect(twin.servers).toHaveLength(1)
    expect(site.servers).toHaveLength(0)
  })

  it('rotate: the newest seals, all open, the one taken away does not', () => {
    const site = new Site({ policy: () => 'retry', tokenKeys: [KEY] })
    const path = { local: SERVER, remote: CLIENT }
    const { initial } = heldBack(site)
    site.endpoint.setTokenKeys([OTHER_KEY, KEY])
    expect(site.endpoint.receive(initial.slice(), path, site.network.now)).not.toBeNull()

    const later = new Site({ policy: () => 'retry', tokenKeys: [OTHER_KEY, KEY] })
    const { initial: newer } = heldBack(later)
    later.endpoint.setTokenKeys([OTHER_KEY])
    expect(later.endpoint.receive(newer.slice(), path, later.network.now)).not.toBeNull()
    const gone = new Site({ policy: () => 'retry', tokenKeys: [KEY] })
    expect(gone.endpoint.receive(newer.slice(), path, later.network.now)).toBeNull()
  })

  it('must be keys', () => {
    const site = new Site()
    expect(() => new Site({ tokenKeys: [] })).toThrow(RangeError)
    expect(() => new Site({ tokenKeys: [new Uint8Array(16)] })).toThrow(RangeError)
    expect(() => site.endpoint.setTokenKeys(Array.from({ length: 9 }, () => KEY))).toThrow(RangeError)
  })
})
