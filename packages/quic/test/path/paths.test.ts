// Paths of a connection: who is active, what they inherit, rollback and bounds (RFC 9000 §9, §8.2).

import { describe, expect, it } from 'vitest'
import { NewReno } from '../../src/congestion/new-reno.ts'
import { Paths } from '../../src/path/paths.ts'
import { SentPacketPool } from '../../src/recovery/sent-packet.ts'
import type { SentPacket } from '../../src/recovery/sent-packet.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { Writer } from '../../src/wire/writer.ts'

const HOME = { local: 's:1', remote: '10.0.0.1:1' }
const MOVED = { local: 's:1', remote: '10.0.0.1:2' }
const AWAY = { local: 's:1', remote: '10.0.0.9:1' }
const config = { maxDatagramSize: 1200, initialRtt: 333, createController: (size: number) => new NewReno(size) }

function validated(): Paths {
  const paths = new Paths(HOME, false, config)
  paths.active.validate()
  return paths
}

/** Writes what is due and gives the challenge's eight bytes, null when none was due. */
function challenge(paths: Paths, now: number): Uint8Array | null {
  const writer = new Writer(new Uint8Array(100))
  paths.active.validation.write({ writer, room: () => writer.remaining, token: () => {} }, new SeededRandom(now), now)
  return writer.position === 0 ? null : writer.buffer.slice(1, 9)
}

function packetOf(generation: number): SentPacket {
  const packet = new SentPacketPool().take()
  packet.generation = generation
  return packet
}

describe('Paths', () => {
  it('a change of port keeps RTT and congestion state, another host starts afresh (§9.4)', () => {
    const paths = validated()
    const moved = paths.open(MOVED)!
    const away = paths.open(AWAY)!
    expect(moved.congestion).toBe(paths.active.congestion)
    expect(moved.rtt).toBe(paths.active.rtt)
    expect(away.congestion).not.toBe(paths.active.congestion)
    expect(away.generation).not.toBe(paths.active.generation)
  })

  it('bytes in flight follow a rebinding, also when the path was opened long before (§9.4)', () => {
    const paths = validated()
    const moved = paths.open(MOVED)!
    paths.active.addInFlight(50_000)
    paths.migrate(moved, 0, 100)
    expect(paths.active.bytesInFlight).toBe(50_000)
    expect(paths.ofPacket(packetOf(0))).toBe(moved)
    moved.removeInFlight(20_000)
    paths.onTimeout(1e9)
    expect(paths.active.address).toBe(HOME)
    expect(paths.active.bytesInFlight).toBe(30_000)
  })

  it('what is acknowledged while a probed path waits is gone there too (§9.4)', () => {
    const paths = validated()
    paths.active.addInFlight(12_000)
    const probed = paths.open(MOVED)!
    paths.active.removeInFlight(12_000)
    paths.migrate(paths.open(AWAY)!, 0, 100)
    paths.active.validate()
    paths.migrate(probed, 0, 100)
    expect(paths.active.bytesInFlight).toBe(0)
    expect(paths.active.windowAllows()).toBe(true)
  })

  it('packets of a probed path are charged there, those of a forgotten one nowhere', () => {
    const paths = validated()
    const away = paths.open(AWAY)!
    expect(paths.ofPacket(packetOf(away.generation))).toBe(away)
    expect(paths.ofPacket(packetOf(77))).toBeNull()
  })

  it('goes back to the last validated path when the new one does not answer in time (§9.3.2)', () => {
    const paths = validated()
    paths.migrate(paths.open(AWAY)!, 1000, 100)
    expect(paths.active.address).toBe(AWAY)
    let now = 1000
    let challenges = 0
    while (paths.active.address === AWAY) {
      if (challenge(paths, now) !== null) challenges += 1
      now = paths.nextTimeout()
      expect(now).toBeLessThan(1000 + 10_000)
      paths.onTimeout(now)
    }
    expect(paths.active.address).toBe(HOME)
    expect(challenges).toBeGreaterThanOrEqual(3)
    expect(challenges).toBeLessThan(10)
    expect(paths.nextTimeout()).toBe(Infinity)
  })

  it('a move from one unvalidated path to the next still falls back to the validated one', () => {
    const paths = validated()
    paths.migrate(paths.open(AWAY)!, 0, 100)
    paths.migrate(paths.open(MOVED)!, 1, 100)
    paths.onTimeout(1e9)
    expect(paths.active.address).toBe(HOME)
  })

  it('the answer to any recent challenge validates, and lifts the limits (§8.2.3)', () => {
    const paths = validated()
    paths.migrate(paths.open(AWAY)!, 0, 100)
    const first = challenge(paths, 0)!
    paths.onTimeout(100)
    expect(challenge(paths, 100)).not.toEqual(first)
    expect(paths.onPathResponse(new Uint8Array(8))).toBeNull()
    expect(paths.active.nextDatagramSize()).toBe(0)
    expect(paths.onPathResponse(first)).toBe(paths.active)
    expect(paths.active.nextDatagramSize()).toBe(1200)
    expect(paths.nextTimeout()).toBe(Infinity)
  })

  it('limits datagrams of an unvalidated address to three times what came from it, however small (§8.1, §8.2.1)', () => {
    const paths = validated()
    const away = paths.open(AWAY)!
    paths.migrate(away, 0, 100)
    expect(away.nextDatagramSize()).toBe(0)
    away.onDatagramReceived(40)
    expect(away.nextDatagramSize()).toBe(120)
    away.onDatagramSent(100)
    expect(away.nextDatagramSize()).toBe(0)
    away.onDatagramReceived(5000)
    expect(away.nextDatagramSize()).toBe(1200)
  })

  it('in the handshake only full datagrams go out (§14.1)', () => {
    const { active } = new Paths(HOME, false, config)
    active.onDatagramReceived(399)
    expect(active.nextDatagramSize()).toBe(0)
    active.onDatagramReceived(1)
    expect(active.nextDatagramSize()).toBe(1200)
  })

  it('new paths keep to the datagram size the peer takes (§18.2)', () => {
    const paths = new Paths(HOME, true, { ...config, maxDatagramSize: 1400 })
    paths.active.limitDatagramSize(1250)
    expect(paths.open(MOVED)!.maxDatagramSize).toBe(1250)
    expect(paths.open(AWAY)!.maxDatagramSize).toBe(1250)
  })

  it('remembers few probed paths and few owed responses', () => {
    const paths = validated()
    for (let i = 0; i < 100; i += 1) {
      const path = paths.open({ local: 's:1', remote: `10.1.0.${i}:1` })
      for (let k = 0; k < 50; k += 1) path?.oweResponse(new Uint8Array(8).fill(k))
      expect(path?.responses.length ?? 0).toBeLessThanOrEqual(4)
    }
    let owed = 0
    for (let path = paths.responder(); path !== null; path = paths.responder()) {
      owed += path.responses.length
      path.responses.length = 0
    }
    expect(owed).toBeLessThanOrEqual(12)
  })
})
