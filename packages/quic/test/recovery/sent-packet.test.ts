import { describe, expect, it } from 'vitest'
import { SentPacket, SentPacketPool, SentPacketState, TOKEN_STRIDE } from '../../src/recovery/sent-packet.ts'

describe('SentPacket', () => {
  it('keeps tokens flat, in order', () => {
    const record = new SentPacket()
    record.addToken(4, 1, 2, 3)
    record.addToken(2, 0, -1, 9_000_000_000)
    expect(record.tokenCount).toBe(2)
    expect(record.tokens.slice(0, 2 * TOKEN_STRIDE)).toEqual([4, 1, 2, 3, 2, 0, -1, 9_000_000_000])
  })
})

describe('SentPacketPool', () => {
  it('hands a record out again as if it were new, with the same token array', () => {
    const pool = new SentPacketPool()
    const record = pool.take()
    const tokens = record.tokens
    record.packetNumber = 7
    record.previousNumber = 6
    record.sentAt = 1
    record.size = 2
    record.ackEliciting = true
    record.inFlight = true
    record.generation = 3
    record.packetType = 5
    record.ecn = 2
    record.mtuProbe = true
    record.state = SentPacketState.lost
    record.lostAt = 4
    record.lossTrigger = 1
    record.deliveredAtSend = 5
    record.deliveredTimeAtSend = 6
    record.firstSentAt = 7
    record.appLimited = true
    record.addToken(1, 2, 3, 4)
    pool.release(record)
    expect(pool.available).toBe(1)

    const again = pool.take()
    expect(again).toBe(record)
    expect(again.tokens).toBe(tokens)
    expect({ ...again, tokens: [] }).toEqual({ ...new SentPacket(), tokens: [] })
  })

  it('catches a second release', () => {
    const pool = new SentPacketPool()
    const record = pool.take()
    pool.release(record)
    expect(() => pool.release(record)).toThrow(/twice/)
  })

  it('does not keep everything a burst once needed', () => {
    const pool = new SentPacketPool()
    const records = Array.from({ length: 10_000 }, () => pool.take())
    for (const record of records) pool.release(record)
    expect(pool.available).toBeLessThan(5000)
    const long = pool.take()
    for (let i = 0; i < 1000; i += 1) long.addToken(i, 0, 0, 0)
    pool.release(long)
    expect(long.tokens.length).toBe(0)
  })
})
