import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/base/bytes.ts'
import { RandomConnectionIdGenerator } from '../../src/cid/generator.ts'
import { LocalConnectionIds } from '../../src/cid/local-connection-ids.ts'
import { RemoteConnectionIds } from '../../src/cid/remote-connection-ids.ts'
import { randomResetTokens } from '../../src/cid/reset-token.ts'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import {
  NewConnectionIdFrame,
  readNewConnectionIdFrame,
  readRetireConnectionIdFrame,
  RetireConnectionIdFrame,
} from '../../src/wire/frames/connection-id.ts'
import { Reader } from '../../src/wire/reader.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import { seeded, TestPacket } from '../delivery/packet.ts'

const ELSEWHERE = new Uint8Array([0xee])

function source(seed: number): { fill(destination: Uint8Array): void } {
  const random = seeded(seed)
  return {
    fill(destination) {
      for (let i = 0; i < destination.length; i++) destination[i] = random(256)
    },
  }
}

function local(options: { length?: number; seed?: number; maxActive?: number } = {}): LocalConnectionIds {
  const random = source(options.seed ?? 1)
  const generator = new RandomConnectionIdGenerator(random, options.length ?? 8)
  const maxActive = options.maxActive ?? 4
  return new LocalConnectionIds({ generator, resetToken: randomResetTokens(random), initial: generator.generate(), maxActive })
}

function remote(limit = 3, initial = id(0)): RemoteConnectionIds {
  return new RemoteConnectionIds({ activeConnectionIdLimit: limit, initial })
}

function id(sequence: number): Uint8Array {
  return new Uint8Array(8).fill(sequence + 1)
}

function token(sequence: number): Uint8Array {
  return new Uint8Array(16).fill(sequence + 100)
}

function distinct(n: number): [Uint8Array, Uint8Array] {
  return [new Uint8Array([1, n >> 8, n]), new Uint8Array(16).fill(n).fill(n >> 8, 0, 8)]
}

function give(to: RemoteConnectionIds, sequence: number, retirePriorTo = 0): void {
  to.onNewConnectionId(sequence, retirePriorTo, id(sequence), token(sequence))
}

function write(from: { write(sink: TestPacket): boolean }, size = 1200): TestPacket {
  const packet = new TestPacket(size)
  from.write(packet)
  return packet
}

function issued(bytes: Uint8Array): { sequence: number; retirePriorTo: number; connectionId: Uint8Array; token: Uint8Array }[] {
  const reader = new Reader(bytes)
  const all = []
  while (reader.remaining > 0) {
    const f = new NewConnectionIdFrame()
    const type = reader.varint()
    expect(type).toBe(FrameType.newConnectionId)
    readNewConnectionIdFrame(reader, type, f)
    all.push({ sequence: f.sequence, retirePriorTo: f.retirePriorTo, connectionId: f.connectionId, token: f.statelessResetToken })
  }
  return all
}

function retired(bytes: Uint8Array): number[] {
  const reader = new Reader(bytes)
  const all: number[] = []
  while (reader.remaining > 0) {
    const f = new RetireConnectionIdFrame()
    const type = reader.varint()
    expect(type).toBe(FrameType.retireConnectionId)
    readRetireConnectionIdFrame(reader, type, f)
    all.push(f.sequence)
  }
  return all
}

function codeOf(action: () => void): number {
  try {
    action()
  } catch (error) {
    if (error instanceof TransportError) return error.wireCode
    throw error
  }
  return -1
}

function eventsOf(ids: LocalConnectionIds): string[] {
  const all: string[] = []
  for (let event = ids.pollEvent(); event !== null; event = ids.pollEvent()) all.push(`${event.kind}:${event.sequence}`)
  return all
}

describe('local connection IDs (RFC 9000 §5.1.1)', () => {
  it('issues up to the limit of the peer and its own, each once, and reports them to the router', () => {
    const ids = local({ maxActive: 4 })
    expect(ids.wants()).toBe(false)
    ids.setPeerLimit(8)
    expect(eventsOf(ids)).toEqual([1, 2, 3].map((sequence) => `connection-id-issued:${sequence}`))
    const frames = issued(write(ids).bytes())
    expect(frames.map((frame) => frame.sequence)).toEqual([1, 2, 3])
    expect(new Set(frames.map((frame) => toHex(frame.token))).size).toBe(3)
    expect(new Set(ids.active().map(toHex)).size).toBe(4)
    expect(ids.wants()).toBe(false)
    for (const connectionId of ids.active()) expect(ids.has(connectionId, 0, 8)).toBe(true)
    expect(ids.sequenceOf(frames[1]!.connectionId)).toBe(2)
  })

  it('repeats a lost one, not an acknowledged one', () => {
    const ids = local()
    ids.setPeerLimit(3)
    const frames = issued(write(ids).bytes())
    ids.acked(1)
    ids.lost(1)
    ids.lost(2)
    expect(issued(write(ids).bytes())).toEqual([frames[1]])
  })

  it('replaces what the peer retires', () => {
    const ids = local()
    ids.setPeerLimit(2)
    write(ids)
    eventsOf(ids)
    const first = ids.active()[0]!
    ids.onRetireConnectionId(0, ELSEWHERE)
    ids.onRetireConnectionId(0, ELSEWHERE)
    expect(eventsOf(ids)).toEqual(['connection-id-retired:0', 'connection-id-issued:2'])
    expect(ids.has(first, 0, 8)).toBe(false)
    ids.lost(0)
    expect(issued(write(ids).bytes()).map((frame) => frame.sequence)).toEqual([2])
  })

  it('PROTOCOL_VIOLATION for one never sent, for that of the packet itself, and for empty ones (RFC 9000 §19.16)', () => {
    const code = TransportErrorCode.protocolViolation
    const ids = local()
    ids.setPeerLimit(3)
    expect(codeOf(() => ids.onRetireConnectionId(1, ELSEWHERE))).toBe(code)
    write(ids)
    expect(codeOf(() => ids.onRetireConnectionId(3, ELSEWHERE))).toBe(code)
    expect(codeOf(() => ids.onRetireConnectionId(1, ids.active()[1]!))).toBe(code)
    const empty = local({ length: 0 })
    empty.setPeerLimit(8)
    expect(empty.wants()).toBe(false)
    expect(codeOf(() => empty.onRetireConnectionId(0, ELSEWHERE))).toBe(code)
  })

  it('preferred_address takes sequence 1 without a frame (RFC 9000 §5.1.1)', () => {
    const ids = local()
    const preferred = ids.issuePreferred()
    expect(ids.sequenceOf(preferred.connectionId)).toBe(1)
    ids.setPeerLimit(3)
    expect(issued(write(ids).bytes()).map((frame) => frame.sequence)).toEqual([2])
    ids.onRetireConnectionId(1, ELSEWHERE)
  })

  it('replaceAll retires the old ones by Retire Prior To, once at a time (RFC 9000 §5.1.2)', () => {
    const ids = local()
    ids.setPeerLimit(2)
    write(ids)
    expect(ids.replaceAll()).toBe(true)
    expect(ids.replaceAll()).toBe(false)
    expect(issued(write(ids).bytes()).map((frame) => [frame.sequence, frame.retirePriorTo])).toEqual([
      [2, 2],
      [3, 2],
    ])
    ids.onRetireConnectionId(0, ELSEWHERE)
    ids.onRetireConnectionId(1, ELSEWHERE)
    expect(ids.active()).toHaveLength(2)
    expect(ids.wants()).toBe(false)
    expect(ids.replaceAll()).toBe(true)
  })

  it('knows the alias until it is taken away', () => {
    const ids = local()
    ids.setAlias(ELSEWHERE)
    expect(ids.has(new Uint8Array([1, 0xee]), 1, 1)).toBe(true)
    ids.setAlias(null)
    expect(ids.has(ELSEWHERE, 0, 1)).toBe(false)
  })

  it('goes on in the next packet when one is full', () => {
    const ids = local()
    ids.setPeerLimit(4)
    expect(issued(write(ids, 30).bytes())).toHaveLength(1)
    expect(ids.wants()).toBe(true)
    expect(ids.write(new TestPacket(10))).toBe(false)
    expect(issued(write(ids).bytes())).toHaveLength(2)
  })
})

describe('remote connection IDs (RFC 9000 §5.1.2)', () => {
  it('uses them in the order of their sequence numbers, and retires what it leaves', () => {
    const ids = remote()
    expect(ids.rotate()).toBe(false)
    give(ids, 2)
    give(ids, 1)
    expect(ids.spare()).toBe(2)
    expect(ids.rotate()).toBe(true)
    expect([ids.main().sequence, toHex(ids.main().connectionId)]).toEqual([1, toHex(id(1))])
    const packet = write(ids)
    expect(retired(packet.bytes())).toEqual([0])
    ids.lost(0)
    expect(retired(write(ids).bytes())).toEqual([0])
    ids.acked(0)
    ids.lost(0)
    expect(ids.wants()).toBe(false)
  })

  it('copies the bytes of the frame', () => {
    const ids = remote()
    // slice() of a Node Buffer is no copy.
    const bytes = Buffer.from(id(1))
    ids.onNewConnectionId(1, 0, bytes, token(1))
    bytes.fill(0)
    ids.rotate()
    expect(toHex(ids.main().connectionId)).toBe(toHex(id(1)))
  })

  it('takes the same frame any number of times (RFC 9000 §19.15)', () => {
    const ids = remote()
    for (let i = 0; i < 10; i++) give(ids, 1)
    expect(ids.spare()).toBe(1)
    ids.rotate()
    ids.rotate()
    give(ids, 1)
    expect(ids.spare()).toBe(0)
  })

  it('PROTOCOL_VIOLATION for one sequence number with two connection IDs or tokens, and the reverse (RFC 9000 §19.15)', () => {
    const code = TransportErrorCode.protocolViolation
    const ids = remote()
    give(ids, 1)
    expect(codeOf(() => ids.onNewConnectionId(1, 0, id(9), token(1)))).toBe(code)
    expect(codeOf(() => ids.onNewConnectionId(1, 0, id(1), token(9)))).toBe(code)
    expect(codeOf(() => ids.onNewConnectionId(2, 0, id(1), token(2)))).toBe(code)
    expect(codeOf(() => ids.onNewConnectionId(2, 0, id(2), token(1)))).toBe(code)
    expect(codeOf(() => ids.onNewConnectionId(0, 0, id(5), token(5)))).toBe(code)
  })

  it('CONNECTION_ID_LIMIT_ERROR beyond our limit, after retiring (RFC 9000 §5.1.1)', () => {
    const ids = remote(3)
    give(ids, 1)
    give(ids, 2)
    give(ids, 3, 1)
    expect(ids.main().sequence).toBe(1)
    expect(codeOf(() => give(ids, 4, 1))).toBe(TransportErrorCode.connectionIdLimitError)
  })

  it('Retire Prior To retires the current and the reserved ones, and never decreases (RFC 9000 §5.1.2, §19.15)', () => {
    const ids = remote(4)
    give(ids, 1)
    give(ids, 2)
    const other = ids.assign()
    expect(other.sequence).toBe(1)
    give(ids, 3, 2)
    expect([ids.main().sequence, other.sequence, other.connectionId]).toEqual([2, 3, id(3)])
    expect(retired(write(ids).bytes())).toEqual([0, 1])
    give(ids, 4, 0)
    expect(ids.spare()).toBe(1)
  })

  it('a late frame below Retire Prior To is retired at once, and once (RFC 9000 §19.15)', () => {
    const ids = remote(3)
    give(ids, 3, 3)
    expect(retired(write(ids).bytes())).toEqual([0])
    give(ids, 2)
    give(ids, 2)
    expect(retired(write(ids).bytes())).toEqual([2])
    give(ids, 2)
    expect(ids.wants()).toBe(false)
    expect(ids.spare()).toBe(0)
  })

  it('keeps the current one while nothing can replace it, and leaves it when something can', () => {
    const ids = remote(3)
    give(ids, 1)
    ids.release(ids.assign())
    give(ids, 1, 1)
    expect(ids.main().sequence).toBe(0)
    give(ids, 2, 1)
    expect(ids.main().sequence).toBe(2)
    expect(retired(write(ids).bytes())).toEqual([0, 1])
  })

  it('FRAME_ENCODING_ERROR for Retire Prior To above the sequence number and for lengths of 0 and 21 (RFC 9000 §19.15)', () => {
    const code = TransportErrorCode.frameEncodingError
    expect(codeOf(() => give(remote(), 1, 2))).toBe(code)
    expect(codeOf(() => remote().onNewConnectionId(1, 0, new Uint8Array(0), token(1)))).toBe(code)
    expect(codeOf(() => remote().onNewConnectionId(1, 0, new Uint8Array(21), token(1)))).toBe(code)
  })

  it('PROTOCOL_VIOLATION while packets go to an empty connection ID (RFC 9000 §19.15)', () => {
    expect(codeOf(() => give(remote(3, new Uint8Array(0)), 1))).toBe(TransportErrorCode.protocolViolation)
  })

  it('bounds retirements that are not acknowledged, and gaps in sequence numbers (RFC 9000 §5.1.2)', () => {
    const flood = remote(2)
    const code = codeOf(() => {
      for (let sequence = 1; sequence < 1000; sequence++) {
        flood.onNewConnectionId(sequence, sequence, ...distinct(sequence))
        write(flood)
      }
    })
    expect(code).toBe(TransportErrorCode.connectionIdLimitError)
    const gaps = remote(2)
    const gapCode = codeOf(() => {
      for (let i = 1; i < 1000; i++) {
        const sequence = i * 2
        gaps.onNewConnectionId(sequence, sequence, ...distinct(i))
        for (const number of retired(write(gaps).bytes())) gaps.acked(number)
      }
    })
    expect(gapCode).toBe(TransportErrorCode.protocolViolation)
  })

  it('the client takes over the choice of the server (RFC 9000 §7.2)', () => {
    const ids = remote()
    ids.setInitial(id(7))
    expect([ids.main().sequence, ids.main().connectionId]).toEqual([0, id(7)])
  })

  it('knows the reset tokens of connection IDs in use only (RFC 9000 §10.3.1)', () => {
    const ids = remote()
    const datagram = (sequence: number): Uint8Array => {
      const bytes = new Uint8Array(40)
      bytes.set(token(sequence), 24)
      return bytes
    }
    ids.setHandshakeResetToken(token(0))
    give(ids, 1)
    expect([0, 1].map((sequence) => ids.isResetToken(datagram(sequence), 24))).toEqual([true, false])
    expect(ids.isResetToken(datagram(0), 25)).toBe(false)
    expect(ids.isResetToken(datagram(0), -1)).toBe(false)
    ids.rotate()
    expect([0, 1].map((sequence) => ids.isResetToken(datagram(sequence), 24))).toEqual([false, true])
  })

  it('every path has its own until it is gone (RFC 9000 §9.5, §5.1.2)', () => {
    const ids = remote(4)
    give(ids, 1)
    give(ids, 2)
    const first = ids.main()
    const probe = ids.assign()
    expect([first.sequence, probe.sequence, probe.connectionId]).toEqual([0, 1, id(1)])
    ids.prefer(probe)
    expect(ids.main()).toBe(probe)
    ids.release(first)
    const second = ids.assign()
    expect(second.sequence).toBe(2)
    ids.release(second)
    expect(retired(write(ids).bytes())).toEqual([0, 2])
  })

  it('a path without one waits for the next that the peer issues (RFC 9000 §9.3)', () => {
    const ids = remote(3)
    give(ids, 1)
    ids.assign()
    const [waiting, next] = [ids.assign(), ids.assign()]
    expect([waiting.sequence, waiting.connectionId]).toEqual([-1, new Uint8Array(0)])
    ids.release(next)
    expect(ids.wants()).toBe(false)
    give(ids, 2, 1)
    // The main path is served first.
    expect([ids.main().sequence, waiting.sequence]).toEqual([2, -1])
    give(ids, 3, 1)
    expect(waiting.sequence).toBe(3)
  })

  it('one that is shared is retired with its last path (RFC 9000 §9.5)', () => {
    const ids = remote(4)
    give(ids, 1)
    const moved = ids.share(ids.main())
    expect(moved).toBe(ids.main())
    ids.release(moved)
    expect(ids.wants()).toBe(false)
    const other = ids.assign()
    ids.prefer(other)
    ids.release(moved)
    expect(retired(write(ids).bytes())).toEqual([0])
  })

  it('what paths give back is bounded where the peer adds to it, never where a path ends (RFC 9000 §5.1.2)', () => {
    const ids = remote(2)
    let accepted = 0
    const code = codeOf(() => {
      for (let sequence = 1; sequence < 100; sequence++) {
        ids.onNewConnectionId(sequence, 0, ...distinct(sequence))
        accepted += 1
        const path = ids.assign()
        write(ids)
        // Nobody acknowledges the retirements. A path that ends must not raise an error: it may do so at a timeout.
        expect(() => ids.release(path)).not.toThrow()
      }
    })
    expect(code).toBe(TransportErrorCode.connectionIdLimitError)
    expect(accepted).toBeLessThanOrEqual(9)
  })

  it('all paths send to the empty connection ID of a peer (RFC 9000 §5.1.1)', () => {
    const ids = remote(4)
    ids.setInitial(new Uint8Array(0))
    const other = ids.assign()
    expect([other.sequence, other.connectionId]).toEqual([0, new Uint8Array(0)])
    ids.release(other)
    expect(ids.wants()).toBe(false)
  })
})

describe('both sides together', () => {
  it('never run dry or disagree under loss and random rotation', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seeded(seed)
        const ours = local({ seed: seed ^ 5 })
        const theirs = remote(4, ours.active()[0]!)
        ours.setPeerLimit(4)
        for (let step = 0; step < 400; step++) {
          const action = random(5)
          if (action === 0) theirs.rotate()
          if (action === 1 && random(5) === 0) ours.replaceAll()
          if (action === 2) {
            const packet = write(ours, 60)
            const arrives = random(4) > 0
            if (arrives) {
              for (const f of issued(packet.bytes())) theirs.onNewConnectionId(f.sequence, f.retirePriorTo, f.connectionId, f.token)
            }
            for (const t of packet.tokens) {
              if (arrives) ours.acked(t.a)
              else ours.lost(t.a)
            }
          }
          if (action > 2) {
            const destination = theirs.main().connectionId
            const packet = write(theirs, 5)
            const arrives = random(4) > 0
            if (arrives) for (const sequence of retired(packet.bytes())) ours.onRetireConnectionId(sequence, destination)
            for (const t of packet.tokens) {
              if (arrives) theirs.acked(t.a)
              else theirs.lost(t.a)
            }
          }
          expect(ours.has(theirs.main().connectionId, 0, 8)).toBe(true)
          expect(ours.active().length).toBeLessThanOrEqual(8)
        }
      }),
      { numRuns: 100 },
    )
  })
})
