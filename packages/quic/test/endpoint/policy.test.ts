// The policy of a server over clients it does not know: its verdicts, what it is told, and that nothing is kept before it
// accepts (RFC 9000 §5.2.2, §8.1.2, §21.1).

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConnectionConfig } from '../../src/connection/config.ts'
import { peekClientHello } from '../../src/endpoint/client-hello-peek.ts'
import { retryAbove } from '../../src/endpoint/incoming.ts'
import type { IncomingAttempt } from '../../src/endpoint/incoming.ts'
import { MAX_WAITING_ANSWERS } from '../../src/endpoint/stateless.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { HeaderView, parseHeader } from '../../src/wire/header.ts'
import { CLIENT, SERVER, certificate } from '../connection/pair.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { Site, firstDatagram, serverConfig } from './site.ts'

const path = { local: SERVER, remote: CLIENT }

function headerOf(datagram: Uint8Array): HeaderView {
  const header = new HeaderView()
  parseHeader(header, datagram, 0, datagram.length, 8)
  return header
}

describe('verdicts', () => {
  it('accept is the default', () => {
    const site = new Site()
    site.confirm(site.connect())
    expect(site.retries()).toHaveLength(0)
  })

  it('accept lets the handshake begin', () => {
    const site = new Site({ policy: () => 'accept' })
    site.confirm(site.connect())
    expect(site.servers).toHaveLength(1)
  })

  it('refuse answers CONNECTION_REFUSED in one small Initial packet, statelessly (§5.2.2)', () => {
    const site = new Site({ policy: () => 'refuse' })
    const client = site.connect()
    expect(site.end(client)).toMatchObject({ cause: 'peer', application: false, code: TransportErrorCode.connectionRefused, reason: '' })
    expect(site.endpoint.size).toBe(0)
    expect(site.servers).toHaveLength(0)
    const answers = site.seen.filter((packet) => packet.from === SERVER)
    for (const answer of answers) {
      expect(answer.type).toBe(PacketType.initial)
      expect(answer.bytes.length).toBeLessThan(100)
    }
    // No closing period: within one flight the client hears it, 20 ms after it asked.
    expect(site.network.now).toBeLessThan(1030)
  })

  it('ignore answers nothing and keeps nothing', () => {
    const site = new Site({ policy: () => 'ignore' })
    const client = site.connect()
    expect(site.end(client)).toMatchObject({ cause: 'handshake-timeout' })
    expect(site.seen.filter((packet) => packet.from === SERVER)).toHaveLength(0)
    expect(site.endpoint.size).toBe(0)
  })

  it('retry accepts whoever is validated already: there is no second Retry (§8.1.2)', () => {
    const site = new Site({ policy: () => 'retry' })
    site.confirm(site.connect())
    const after = site.retries().length
    site.network.runFor(1000)
    expect(site.retries()).toHaveLength(after)
  })

  it('is not asked about packets that can start nothing', () => {
    let asked = 0
    const site = new Site({
      policy: () => {
        asked += 1
        return 'accept'
      },
    })
    const first = firstDatagram(1)
    site.endpoint.receive(first.slice(0, 1199), path, 1000)
    const handshake = first.slice()
    handshake[0] = 0xe0
    site.endpoint.receive(handshake, path, 1000)
    site.endpoint.stopAccepting()
    site.endpoint.receive(first, path, 1000)
    expect(asked).toBe(0)
  })
})

describe('what it is told', () => {
  function told(datagram: Uint8Array, read: (incoming: IncomingAttempt) => void): void {
    let asked = 0
    const site = new Site({
      policy: (incoming) => {
        asked += 1
        read(incoming)
        return 'ignore'
      },
    })
    site.endpoint.receive(datagram, path, 1000)
    expect(asked).toBe(1)
  }

  it('address, connection ID, size, and server name and ALPN of the ClientHello', () => {
    const datagram = firstDatagram(1, ['h3', 'h3-29'], 'Some.Example')
    const destination = headerOf(datagram).destination().slice()
    told(datagram, (incoming) => {
      expect(incoming.remote).toBe(CLIENT)
      expect(incoming.validated).toBe(false)
      expect(incoming.destinationConnectionId).toEqual(destination)
      expect(incoming.datagramSize).toBe(1200)
      expect(incoming.serverName).toBe('some.example')
      expect(incoming.alpn).toEqual(['h3', 'h3-29'])
      expect([incoming.handshakes, incoming.connections]).toEqual([0, 0])
    })
  })

  it('null where there is no ClientHello to be read', () => {
    const damaged = firstDatagram(1)
    damaged[700]! ^= 1
    told(damaged, (incoming) => expect([incoming.serverName, incoming.alpn]).toEqual([null, null]))
  })

  it('the look leaves the datagram as it was: the handshake goes on from it', () => {
    const names: (string | null)[] = []
    const site = new Site({
      policy: (incoming) => {
        names.push(incoming.serverName)
        return 'accept'
      },
    })
    site.confirm(site.connect())
    expect(names).toEqual(['test.example'])
  })

  it('the load: handshakes that have begun, not those that are done', () => {
    const loads: string[] = []
    const site = new Site({
      policy: (incoming) => {
        loads.push(`${incoming.handshakes}/${incoming.connections}`)
        return 'accept'
      },
    })
    for (let i = 0; i < 3; i += 1) site.endpoint.receive(firstDatagram(i), path, site.network.now)
    expect(loads).toEqual(['0/0', '1/1', '2/2'])
    expect(site.endpoint.handshakesInProgress).toBe(3)
    site.confirm(site.connect())
    expect(site.endpoint.handshakesInProgress).toBe(3)
    // The handshake timeout clears the rest away.
    site.network.runFor(20_000)
    expect(site.endpoint.handshakesInProgress).toBe(0)
    expect(site.endpoint.size).toBe(1)
  })
})

describe('the look into the ClientHello', () => {
  it('never throws, whatever the packet holds, and never looks at more than the datagram', () => {
    const sealed = firstDatagram(2)
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1199), fc.integer({ min: 1, max: 255 })), { maxLength: 6 }), (changes) => {
        const datagram = sealed.slice()
        for (const [at, bits] of changes) datagram[at]! ^= bits
        const header = new HeaderView()
        if (parseHeader(header, datagram, 0, datagram.length, 8) !== 0 || header.packetType !== PacketType.initial) return
        peekClientHello(provider, header, datagram)
      }),
    )
  })
})

describe('retryAbove', () => {
  it('accepts below its limit and demands validation from there on', () => {
    const policy = retryAbove(3)
    const at = (handshakes: number): string => policy({ ...({} as IncomingAttempt), handshakes })
    expect([0, 2, 3, 1000].map(at)).toEqual(['accept', 'accept', 'retry', 'retry'])
  })

  it('under attack the honest get in by a Retry, and without one afterwards', () => {
    const site = new Site({ policy: retryAbove(2) })
    for (let i = 0; i < 2; i += 1) site.endpoint.receive(firstDatagram(i), { local: SERVER, remote: `10.66.0.${i}:1` }, site.network.now)
    site.confirm(site.connect())
    const retries = site.retries().length
    expect(retries).toBeGreaterThan(0)
    site.network.runFor(20_000)
    site.leave()
    site.confirm(site.connect())
    expect(site.retries()).toHaveLength(retries)
  })
})

describe('Initials from forged addresses by the million (RFC 9000 §21.1)', () => {
  const FORGED = 1_000_000

  /** Different connection IDs and addresses, one template: nobody has to be able to open what is not accepted. */
  function forge(template: Uint8Array, random: SeededRandom): Uint8Array {
    const datagram = template.slice()
    random.fill(datagram.subarray(6, 14))
    return datagram
  }

  it(`leave no connection and at most ${MAX_WAITING_ANSWERS} answers once a Retry is asked for`, () => {
    const site = new Site({ policy: retryAbove(3) })
    for (let i = 0; i < 3; i += 1) site.endpoint.receive(firstDatagram(i), path, 1000)
    // Nothing of it is kept, so that one buffer serves for all.
    const datagram = firstDatagram(9)
    const number = new DataView(datagram.buffer)
    for (let i = 0; i < FORGED; i += 1) {
      number.setUint32(6, i)
      site.endpoint.receive(datagram, path, 1000 + i / 1000)
    }
    expect(site.endpoint.size).toBe(3)
    expect(site.endpoint.handshakesInProgress).toBe(3)
    const out = { buffer: new Uint8Array(1500), length: 0, path: null, ecn: 0 }
    let answers = 0
    let bytes = 0
    while (site.endpoint.transmitStateless(out)) {
      answers += 1
      bytes += out.length
    }
    expect(answers).toBe(MAX_WAITING_ANSWERS)
    expect(bytes).toBeLessThan(MAX_WAITING_ANSWERS * 200)
  })

  it('that nobody can open leave nothing even where everybody is accepted, and no connection is built for them', () => {
    let built = 0
    const server = (): ConnectionConfig => {
      built += 1
      return serverConfig(new SeededRandom(built), certificate)
    }
    const site = new Site({ server })
    const random = new SeededRandom(1)
    const template = firstDatagram(9)
    for (let i = 0; i < 300; i += 1) expect(site.endpoint.receive(forge(template, random), path, 1000)).toBeNull()
    // Once for admission.
    expect(built).toBe(1)
    expect(site.endpoint.receive(template, path, 1000)).not.toBeNull()
    expect(built).toBe(2)
    site.endpoint.forget(site.endpoint.pollIncoming()!)
    expect(site.endpoint.size).toBe(0)
    expect(site.endpoint.pollIncoming()).toBeNull()
  })

  it('that are authentic fill at most maxHandshakes; who is in already goes on', () => {
    const site = new Site({ maxHandshakes: 20 })
    const client = site.connect()
    site.network.turnAll()
    for (let i = 0; i < 100; i += 1) site.endpoint.receive(firstDatagram(i), { local: SERVER, remote: `10.66.0.${i}:1` }, site.network.now)
    expect(site.endpoint.handshakesInProgress).toBe(20)
    expect(site.endpoint.size).toBe(20)
    site.network.runFor(11_000)
    expect(site.endpoint.handshakesInProgress).toBeLessThanOrEqual(20)
    site.network.run(() => client.connection.isConfirmed() || client.connection.closeReason() !== null)
  })

  it('a validated client has room under attack as long as the policy asks for a Retry below maxHandshakes', () => {
    const site = new Site({ policy: retryAbove(10), maxHandshakes: 12 })
    for (let i = 0; i < 100; i += 1) site.endpoint.receive(firstDatagram(i), { local: SERVER, remote: `10.66.0.${i}:1` }, site.network.now)
    expect(site.endpoint.handshakesInProgress).toBe(10)
    site.confirm(site.connect())
  })
})
