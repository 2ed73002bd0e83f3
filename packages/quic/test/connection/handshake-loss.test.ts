// The handshake under loss: every single datagram missing once, bursts, small amplification budgets, big certificates
// (RFC 9000 §8.1, RFC 9002 §6.2).

import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../src/base/bytes.ts'
import { burstLoss } from '../../src/testing/loss-model.ts'
import { createDevCertificate } from '../../src/tls/certificates/development.ts'
import { PacketType } from '../../src/wire/constants.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../src/wire/header.ts'
import { providerUnderTest as provider, providers } from '../crypto/provider-under-test.ts'
import { CLIENT, Pair, SERVER, UNIX_TIME, pattern } from './pair.ts'
import type { PairOptions } from './pair.ts'

/** A certificate that takes the server's flight far beyond three times the client's first datagram. */
const bigCertificate = createDevCertificate(provider, {
  names: ['test.example', ...Array.from({ length: 90 }, (_, i) => `${i}-${'x'.repeat(50)}.example`)],
  unixTimeMs: UNIX_TIME,
})
const bigChain: PairOptions['serverTls'] = {
  certificates: [{ chain: [bigCertificate.certificate], key: provider.importPrivateKey(bigCertificate.privateKey) }],
  // Ninety names much alike become few bytes.
  certificateCompression: false,
}
const trustBig: PairOptions['clientTls'] = { verify: { mode: 'chain', roots: [bigCertificate.certificate], unixTimeMs: UNIX_TIME } }
/** A ClientHello of more than one datagram. */
const bigHello: PairOptions['clientTls'] = { alpn: [...Array.from({ length: 12 }, (_, i) => `unlikely-${i}`.padEnd(200, 'x')), 'test'] }

function establish(pair: Pair, time: number = 60_000): void {
  pair.network.run(() => pair.client.connection.isConfirmed() && pair.servers.some((peer) => peer.connection.isConfirmed()), { time })
}

describe('handshake', () => {
  for (const one of providers) {
    it(`on ${one.name}`, () => {
      const pair = new Pair({ provider: one }).establish()
      const id = pair.client.send(pattern(5000))
      pair.network.turnAll()
      pair.network.run(() => pair.client.finished.has(id))
    })
  }

  const shapes: [string, PairOptions][] = [
    ['as usual', {}],
    ['with a big certificate', { clientTls: trustBig, serverTls: bigChain }],
    ['with a ClientHello of several datagrams (RFC 9001 §4.3)', { clientTls: bigHello }],
    ['with the default key shares, ML-KEM among them', { clientTls: { groups: undefined } }],
    ['with both', { clientTls: { ...bigHello, ...trustBig }, serverTls: bigChain }],
  ]
  for (const [name, options] of shapes) {
    it(`${name}: completes in few round trips and without loss`, () => {
      const pair = new Pair(options)
      establish(pair)
      expect(pair.network.now).toBeLessThan(1100)
      expect(pair.client.connection.stats().ptoCount).toBe(0)
      expect(pair.client.connection.stats().packetsLost).toBe(0)
    })

    for (const side of ['client', 'server'] as const) {
      it(`${name}: any one datagram of the ${side} may vanish`, () => {
        for (let k = 1; k <= 12; k += 1) {
          const pair = new Pair({ ...options, seed: k, scenario: `datagram ${k} of the ${side} is lost` })
          let count = 0
          pair.network.setFilter((bytes, from) => (from === (side === 'client' ? CLIENT : SERVER) && ++count === k ? null : bytes))
          establish(pair, 10_000)
        }
      })
    }

    it(`${name}: everything before a moment may vanish`, () => {
      for (let until = 20; until <= 200; until += 20) {
        const pair = new Pair({ ...options, scenario: `nothing from 10 ms to ${until} ms` })
        const start = pair.network.now
        pair.network.setFilter((bytes, _from, _to, now) => (now > start + 5 && now < start + until ? null : bytes))
        establish(pair, 10_000)
      }
    })

    it(`${name}: survives bursts of loss and corrupted datagrams in both directions`, () => {
      for (let seed = 1; seed <= 8; seed += 1) {
        const pair = new Pair({
          ...options,
          seed,
          client: { handshakeTimeout: 0, maxIdleTimeout: 0 },
          server: { handshakeTimeout: 0, maxIdleTimeout: 0 },
          conditions: { loss: burstLoss(0.15, 0.4), corrupt: 0.05, reorder: 0.1, duplicate: 0.05 },
        })
        establish(pair, 400_000)
        const id = pair.client.send(pattern(8000))
        pair.network.turnAll()
        pair.network.run(() => pair.client.finished.has(id), { time: 400_000 })
        expect(equalBytes(pair.client.bytesOf(id), pattern(8000))).toBe(true)
      }
    })
  }

  it('all Initial datagrams of the client, and the ack-eliciting ones of the server, have 1200 bytes (RFC 9000 §14.1)', () => {
    const pair = new Pair({ clientTls: { ...bigHello, ...trustBig }, serverTls: bigChain, conditions: { loss: 0.1 } })
    const sizes: number[] = []
    pair.network.observe(({ bytes, from }) => {
      if ((bytes[0]! & 0xf0) === 0xc0 && from === CLIENT) sizes.push(bytes.length)
    })
    establish(pair)
    expect(sizes.length).toBeGreaterThan(2)
    for (const size of sizes) expect(size).toBe(1200)
  })

  it('no server sends more than three times what it received before it knows the address (RFC 9000 §8.1)', () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const pair = new Pair({
        seed,
        serverTls: bigChain,
        clientTls: { ...(seed % 3 === 0 ? bigHello : {}), ...trustBig },
        conditions: { loss: 0.25, duplicate: 0.1, reorder: 0.2 },
      })
      let received = 0
      let sent = 0
      let handshakeArrived = false
      const receive = pair.endpoint.receive.bind(pair.endpoint)
      pair.endpoint.receive = (datagram, ...rest) => {
        received += datagram.length
        handshakeArrived ||= carriesHandshake(datagram)
        return receive(datagram, ...rest)
      }
      let largest = 0
      pair.network.observe(({ bytes, from }) => {
        if (from !== SERVER || handshakeArrived) return
        sent += bytes.length
        largest = Math.max(largest, sent / received)
      })
      establish(pair)
      expect(largest).toBeGreaterThan(1)
      expect(largest).toBeLessThanOrEqual(3)
    }
  })

  it('a client that hears nothing backs off and gives up at its handshake timeout (RFC 9002 §6.2.1)', () => {
    const pair = new Pair({ client: { handshakeTimeout: 12_000 }, conditions: { loss: 1 } })
    const times: number[] = []
    pair.network.observe(({ time }) => void (times.at(-1) === time || times.push(time)))
    pair.network.runFor(30_000)
    const gaps = times.slice(1).map((time, i) => time - times[i]!)
    for (let i = 1; i < gaps.length - 1; i += 1) expect(gaps[i]! / gaps[i - 1]!).toBeCloseTo(2, 1)
    expect(gaps.length).toBeGreaterThan(2)
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'handshake-timeout' }])
    expect(pair.client.connection.isClosed()).toBe(true)
    expect(pair.client.connection.nextTimeout()).toBe(Infinity)
  })

  it('a server whose client falls silent gives up too', () => {
    const pair = new Pair({ server: { handshakeTimeout: 5000 } })
    let flights = 0
    pair.network.setFilter((bytes, from) => (from === CLIENT && ++flights > 1 ? null : bytes))
    pair.network.runFor(30_000)
    expect(pair.server.closeReasons()).toMatchObject([{ cause: 'handshake-timeout' }])
    expect(pair.endpoint.size).toBe(0)
  })

  it('no common application protocol is a TLS alert on both sides (RFC 9001 §8.1)', () => {
    const pair = new Pair({ clientTls: { alpn: ['other'] } })
    pair.network.run(() => pair.client.connection.closeReason() !== null)
    expect(pair.server.connection.closeReason()).toMatchObject({ cause: 'local', code: 0x178 })
    expect(pair.client.connection.closeReason()).toMatchObject({ cause: 'peer', code: 0x178, application: false })
  })

  it('a certificate nobody vouches for closes with its alert, seen by the server (RFC 9001 §4.8)', () => {
    const pair = new Pair({ clientTls: { serverName: 'other.example' } })
    pair.network.run(() => (pair.servers[0]?.connection.closeReason() ?? null) !== null)
    expect(pair.client.connection.closeReason()).toMatchObject({ cause: 'local', application: false })
    expect(pair.client.connection.closeReason()!.error).toMatchObject({ check: 'name-mismatch' })
    expect(pair.server.connection.closeReason()).toMatchObject({ cause: 'peer', code: pair.client.connection.closeReason()!.code })
  })
})

/** RFC 9000 §8.1: a Handshake packet, alone or behind an Initial packet, proves the client's address. */
function carriesHandshake(datagram: Uint8Array): boolean {
  const view = new HeaderView()
  for (let at = 0; at < datagram.length; at = view.packetEnd) {
    if (parseHeader(view, datagram, at, datagram.length, 8, true) !== HeaderResult.ok) return false
    if (view.packetType === PacketType.handshake) return true
  }
  return false
}
