// Packets that come before their keys may be used, or that have no room for a sample (RFC 9001 §5.4.2, §5.7).

import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { FrameType, PacketType } from '../../src/wire/constants.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../src/wire/header.ts'
import { Attacker } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { CLIENT, SERVER, pattern } from '../connection/pair.ts'
import type { Pair } from '../connection/pair.ts'

describe('packets too short', () => {
  it('RFC 9001 §5.4.2: packets without a complete sample are dropped', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays).establish()
      const before = attacker.victim.stats()
      const { packetsReceived, packetsDropped } = before
      for (let size = 10; size < 29; size += 1) {
        const packet = new SeededRandom(size).bytes(size)
        packet[0] = 0x40
        packet.set(attacker.victim.sourceConnectionIds()[0]!, 1)
        attacker.deliver(packet, undefined, 1)
      }
      expect(attacker.victim.closeReason()).toBeNull()
      expect(attacker.victim.stats().packetsReceived).toBe(packetsReceived)
      expect(attacker.victim.stats().packetsDropped).toBe(packetsDropped + 19)
    }
  })
})

describe('1-RTT packets ahead of the end of the handshake', () => {
  /** Keeps Handshake packets of one side back. */
  function holdHandshake(pair: Pair, from: string, held: Uint8Array[]): void {
    const view = new HeaderView()
    pair.network.setFilter((bytes, sender) => {
      if (sender !== from) return bytes
      for (let at = 0; at < bytes.length; at = view.packetEnd) {
        if (parseHeader(view, bytes, at, bytes.length, 8, true) !== HeaderResult.ok) break
        if (view.packetType === PacketType.handshake) {
          held.push(bytes.slice())
          return null
        }
      }
      return bytes
    })
  }

  it('RFC 9001 §5.7: 1-RTT packets wait until the handshake is complete, at a server', () => {
    const attacker = new Attacker('client', { serve: () => {} })
    const { pair } = attacker
    const held: Uint8Array[] = []
    holdHandshake(pair, CLIENT, held)
    pair.network.run(() => held.length > 0)
    attacker.usurp()
    // The server has the keys of 1-RTT packets, and no Finished of the client.
    attacker.say(frames.stream(2, 0, pattern(5)), {}, 200)
    expect(attacker.victim.isEstablished()).toBe(false)
    expect(pair.server.bytesOf(2)).toHaveLength(0)
    expect(attacker.opened.some((packet) => packet.packetType === PacketType.oneRtt && packet.frames.some(({ type }) => type === FrameType.ack))).toBe(false)
    pair.network.setFilter(null)
    for (const datagram of held) attacker.deliver(datagram)
    expect(attacker.victim.isEstablished()).toBe(true)
    expect(pair.server.bytesOf(2)).toEqual(pattern(5))
  })

  it('RFC 9001 §5.7: a client reads no 1-RTT packet before its handshake is complete', () => {
    const attacker = new Attacker('server')
    const { pair } = attacker
    const held: Uint8Array[] = []
    holdHandshake(pair, SERVER, held)
    pair.network.run(() => held.length > 0)
    attacker.usurp()
    attacker.say(frames.closeApplication(5), {}, 100)
    expect(attacker.victim.closeReason()).toBeNull()
    pair.network.setFilter(null)
    for (const datagram of held) attacker.deliver(datagram)
    expect(attacker.victim.closeReason()).toMatchObject({ cause: 'peer', application: true, code: 5 })
  })
})
