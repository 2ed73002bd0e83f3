// What is asked of the peer, when, and what the PTO counts with (draft-ietf-quic-ack-frequency §4, §7, §8).

import { describe, expect, it } from 'vitest'
import { AckFrequencyRequest } from '../../src/space/ack-frequency-request.ts'
import { AckFrequencyFrame, readAckFrequencyFrame } from '../../src/wire/frames/ack-frequency.ts'
import { readFrameType } from '../../src/wire/frame-table.ts'
import { Reader } from '../../src/wire/reader.ts'
import { TestPacket } from '../delivery/packet.ts'

interface Asked {
  readonly sequence: number
  readonly threshold: number
  readonly delay: number
  readonly reordering: number
}

/** Lets the request write its frame; null when it has none. */
function write(request: AckFrequencyRequest): Asked | null {
  if (!request.wants()) return null
  const packet = new TestPacket(100)
  expect(request.write(packet)).toBe(true)
  const reader = new Reader(packet.bytes())
  const frame = new AckFrequencyFrame()
  readAckFrequencyFrame(reader, readFrameType(reader), frame)
  expect(packet.tokens).toHaveLength(1)
  const { ackElicitingThreshold, maxAckDelay, reorderingThreshold } = frame
  return { sequence: Number(frame.sequence), threshold: ackElicitingThreshold, delay: maxAckDelay, reordering: reorderingThreshold }
}

function negotiated(): AckFrequencyRequest {
  const request = new AckFrequencyRequest()
  request.onPeerParameters(25, 1000)
  return request
}

describe('AckFrequencyRequest', () => {
  it('asks for nothing where the peer does not understand, and nothing for small windows', () => {
    const request = new AckFrequencyRequest()
    request.onPeerParameters(25, -1)
    request.review(0, 1000, 50, 3, 0)
    expect(request.wants()).toBe(false)
    const small = negotiated()
    small.review(0, 20, 50, 3, 0)
    expect(small.wants()).toBe(false)
  })

  it('asks for a sixteenth of the window, at most ten packets, within a round trip and the limits of the peer', () => {
    const request = negotiated()
    request.review(0, 64, 10, 3, 0)
    expect(write(request)).toEqual({ sequence: 0, threshold: 3, delay: 10_000, reordering: 3 })
    request.review(0, 10_000, 100, 3, 100)
    expect(write(request)).toEqual({ sequence: 1, threshold: 9, delay: 25_000, reordering: 3 })
    request.review(0, 10_000, 0.2, 3, 300)
    // The peer's timer is coarser than the round trip: every gap is to be told at once.
    expect(write(request)).toEqual({ sequence: 2, threshold: 9, delay: 1000, reordering: 1 })
  })

  it('not more often than once per round trip, and only on changes that matter (§8.1)', () => {
    const request = negotiated()
    request.review(0, 80, 50, 3, 0)
    expect(write(request)).toMatchObject({ threshold: 4 })
    request.review(0, 1000, 50, 3, 49)
    expect(request.wants()).toBe(false)
    request.review(0, 112, 48, 3, 51)
    expect(request.wants()).toBe(false)
    request.review(0, 1000, 50, 3, 151)
    expect(write(request)).toMatchObject({ threshold: 9 })
    request.review(0, 1000, 50, 7, 251)
    expect(write(request)).toMatchObject({ reordering: 7 })
    request.review(0, 20, 50, 7, 351)
    expect(write(request)).toMatchObject({ threshold: 1 })
  })

  it('a new path is told of at once (§8.4)', () => {
    const request = negotiated()
    request.review(0, 200, 50, 3, 0)
    write(request)
    request.review(1, 200, 50, 3, 1)
    expect(write(request)).toMatchObject({ sequence: 1 })
  })

  it('the PTO counts with the largest delay in flight until it is settled (§7)', () => {
    const request = negotiated()
    expect(request.maxAckDelay).toBe(25)
    request.review(0, 200, 5, 3, 0)
    write(request)
    expect(request.maxAckDelay).toBe(25)
    request.acked(0, 5000)
    expect(request.maxAckDelay).toBe(5)
    request.review(0, 200, 20, 3, 100)
    write(request)
    expect(request.maxAckDelay).toBe(20)
    request.review(0, 200, 5, 3, 200)
    write(request)
    // 1 may be lost, and may have been applied: it counts until 2 is acknowledged.
    expect(request.maxAckDelay).toBe(20)
    request.acked(2, 5000)
    expect(request.maxAckDelay).toBe(5)
    request.acked(1, 20_000)
    expect(request.maxAckDelay).toBe(5)
  })

  it('a lost request is repeated with a new number, unless a newer one is on its way (§4)', () => {
    const request = negotiated()
    request.review(0, 80, 50, 3, 0)
    write(request)
    request.lost(0)
    expect(write(request)).toMatchObject({ sequence: 1, threshold: 4 })
    request.lost(0)
    expect(request.wants()).toBe(false)
    request.acked(1, 25_000)
    request.lost(1)
    expect(request.wants()).toBe(false)
  })

  it('waits for room', () => {
    const request = negotiated()
    request.review(0, 80, 50, 3, 0)
    expect(request.write(new TestPacket(3))).toBe(false)
    expect(request.wants()).toBe(true)
  })
})
