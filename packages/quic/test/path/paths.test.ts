// Paths of a connection: who is active, what they inherit, rollback and bounds (RFC 9000 §9, §8.2).

import { describe, expect, it } from 'vitest'
import { NewReno } from '../../src/congestion/new-reno.ts'
import { RemoteConnectionIds } from '../../src/cid/remote-connection-ids.ts'
import { Paths } from '../../src/path/paths.ts'
import { SentPacketPool } from '../../src/recovery/sent-packet.ts'
import type { SentPacket } from '../../src/recovery/sent-packet.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { Writer } from '../../src/wire/writer.ts'

const HOME = { local: 's:1', remote: '10.0.0.1:1' }
const MOVED = { local: 's:1', remote: '10.0.0.1:2' }
const AWAY = { local: 's:1', remote: '10.0.0.9:1' }
const config = { maxDatagramSize: 1200, initialRtt: 333, createController: (size: number) => new NewReno(size) }

function pathsOf(isValid: boolean, settings: typeof config = config): Paths {
  return new Paths(HOME, isValid, settings, new RemoteConnectionIds({ activeConnectionIdLimit: 4, initial: new Uint8Array(8) }))
}

function validated(): Paths {
  const paths = pathsOf(false)
  paths.active.validate()
  return paths
}

/** Writes what is due in a datagram of `size` and gives the challenge's eight bytes, null when none was due. */
function challenge(paths: Paths, now: number, size: number = 1200): Uint8Array | null {
  const writer = new Writer(new Uint8Array(100))
  paths.active.validation.write({ writer, room: () => writer.remaining, token: () => {} }, new SeededRandom(now), now)
  paths.active.onDatagramSent(size)
  return writer.position === 0 ? null : writer.buffer.slice(1, 9)
}

/** What a connection does when time has passed. */
function timeOut(paths: Paths, now: number): void {
  for (const path of paths.onTimeout(now)) if (path === paths.active) paths.fallBack(now)
  paths.closeExpired(now)
}

function packetOf(generation: number): SentPacket {
  const packet = new SentPacketPool().take()
  packet.generation = generation
  return packet
}

describe('Paths', () => {
  it('a change of port keeps RTT and congestion state, another host starts afresh (§9.4)', () => {
    const paths = validated()
    const moved = paths.open(MOVED, paths.active, 0)!
    const away = paths.open(AWAY, paths.active, 0)!
    expect(moved.congestion).toBe(paths.active.congestion)
    expect(moved.rtt).toBe(paths.active.rtt)
    expect(away.congestion).not.toBe(paths.active.congestion)
    expect(away.generation).not.toBe(paths.active.generation)
  })

  it('bytes in flight follow a rebinding, also when the path was opened long before (§9.4)', () => {
    const paths = validated()
    const moved = paths.open(MOVED, paths.active, 0)!
    paths.active.addInFlight(50_000)
    paths.moveTo(moved, 0, 100)
    expect(paths.active.bytesInFlight).toBe(50_000)
    expect(paths.ofPacket(packetOf(0))).toBe(moved)
    moved.removeInFlight(20_000)
    timeOut(paths, 1e9)
    expect(paths.active.address).toBe(HOME)
    expect(paths.active.bytesInFlight).toBe(30_000)
  })

  it('what is acknowledged while a probed path waits is gone there too (§9.4)', () => {
    const paths = validated()
    paths.active.addInFlight(12_000)
    const probed = paths.open(MOVED, paths.active, 0)!
    paths.active.removeInFlight(12_000)
    paths.moveTo(paths.open(AWAY, paths.active, 0)!, 0, 100)
    paths.active.validate()
    paths.settle(0, 100)
    paths.moveTo(probed, 0, 100)
    expect(paths.active.bytesInFlight).toBe(0)
    expect(paths.active.windowAllows()).toBe(true)
  })

  it('packets of a probed path are charged there, those of a forgotten one nowhere', () => {
    const paths = validated()
    const away = paths.open(AWAY, paths.active, 0)!
    expect(paths.ofPacket(packetOf(away.generation))).toBe(away)
    expect(paths.ofPacket(packetOf(77))).toBeNull()
  })

  it('goes back to the last validated path when the new one does not answer in time (§9.3.2)', () => {
    const paths = validated()
    paths.moveTo(paths.open(AWAY, paths.active, 0)!, 1000, 100)
    expect(paths.active.address).toBe(AWAY)
    let now = 1000
    let challenges = 0
    while (paths.active.address === AWAY) {
      if (challenge(paths, now) !== null) challenges += 1
      now = paths.nextTimeout()
      expect(now).toBeLessThan(1000 + 10_000)
      timeOut(paths, now)
    }
    expect(paths.active.address).toBe(HOME)
    expect(challenges).toBeGreaterThanOrEqual(3)
    expect(challenges).toBeLessThan(10)
    expect(paths.nextTimeout()).toBe(Infinity)
  })

  it('a move from one unvalidated path to the next still falls back to the validated one', () => {
    const paths = validated()
    paths.moveTo(paths.open(AWAY, paths.active, 0)!, 0, 100)
    paths.moveTo(paths.open(MOVED, paths.active, 0)!, 1, 100)
    timeOut(paths, 1e9)
    expect(paths.active.address).toBe(HOME)
  })

  it('the answer to any recent challenge validates, and lifts the limits (§8.2.3)', () => {
    const paths = validated()
    paths.moveTo(paths.open(AWAY, paths.active, 0)!, 0, 100)
    const first = challenge(paths, 0)!
    timeOut(paths, 100)
    expect(challenge(paths, 100)).not.toEqual(first)
    expect(paths.onPathResponse(new Uint8Array(8), 120)).toBeNull()
    expect(paths.active.nextDatagramSize()).toBe(0)
    expect(paths.onPathResponse(first, 120)).toBe(paths.active)
    expect(paths.active.nextDatagramSize()).toBe(1200)
    paths.settle(120, 100)
    timeOut(paths, 1e9)
    expect(paths.all()).toEqual([paths.active])
    expect(paths.nextTimeout()).toBe(Infinity)
  })

  it('the answer to a small challenge validates the address, not the path (§8.2.1, §8.2.3)', () => {
    const paths = validated()
    paths.moveTo(paths.open(AWAY, null, 0)!, 0, 100)
    const small = challenge(paths, 0, 150)!
    expect(paths.onPathResponse(small, 50)).toBeNull()
    expect([paths.active.amplification.validated, paths.active.validation.proven]).toEqual([true, false])
    expect(paths.previous).not.toBeNull()
    // The same answer again does not count, and does not buy time.
    const deadline = paths.active.validation.deadline
    const full = challenge(paths, 60)!
    expect(paths.onPathResponse(small, 70)).toBeNull()
    expect(paths.active.validation.deadline).toBe(deadline)
    expect(paths.onPathResponse(full, 100)).toBe(paths.active)
    expect(paths.active.validation.proven).toBe(true)
    expect(paths.active.rtt.smoothed).toBe(40)
  })

  it('a path that takes small datagrams only fails in the end (§8.2.1)', () => {
    const paths = validated()
    paths.moveTo(paths.open(AWAY, null, 0)!, 0, 100)
    paths.onPathResponse(challenge(paths, 0, 150)!, 50)
    challenge(paths, 60)
    timeOut(paths, 50 + 10_000)
    expect(paths.active.address).toBe(HOME)
  })

  it('limits datagrams of an unvalidated address to three times what came from it, however small (§8.1, §8.2.1)', () => {
    const paths = validated()
    const away = paths.open(AWAY, paths.active, 0)!
    paths.moveTo(away, 0, 100)
    expect(away.nextDatagramSize()).toBe(0)
    away.onDatagramReceived(40)
    expect(away.nextDatagramSize()).toBe(120)
    away.onDatagramSent(100)
    expect(away.nextDatagramSize()).toBe(0)
    away.onDatagramReceived(5000)
    expect(away.nextDatagramSize()).toBe(1200)
  })

  it('in the handshake only full datagrams go out (§14.1)', () => {
    const { active } = pathsOf(false)
    active.onDatagramReceived(399)
    expect(active.nextDatagramSize()).toBe(0)
    active.onDatagramReceived(1)
    expect(active.nextDatagramSize()).toBe(1200)
  })

  it('new paths keep to the datagram size the peer takes (§18.2)', () => {
    const paths = pathsOf(true, { ...config, maxDatagramSize: 1400 })
    paths.active.limitDatagramSize(1250)
    expect(paths.open(MOVED, paths.active, 0)!.maxDatagramSize).toBe(1250)
    expect(paths.open(AWAY, paths.active, 0)!.maxDatagramSize).toBe(1250)
  })

  it('remembers few probed paths and few owed responses', () => {
    const paths = validated()
    for (let i = 0; i < 100; i += 1) {
      const path = paths.open({ local: 's:1', remote: `10.1.0.${i}:1` }, paths.active, 0)
      for (let k = 0; k < 50; k += 1) path?.oweResponse(new Uint8Array(8).fill(k))
      expect(path?.responses.length ?? 0).toBeLessThanOrEqual(4)
    }
    let owed = 0
    for (const path of paths.all()) path.onDatagramReceived(1200)
    for (let path = paths.probing(); path !== null; path = paths.probing()) {
      owed += path.responses.length
      path.responses.length = 0
    }
    expect(owed).toBeLessThanOrEqual(12)
  })
})
