import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CapsuleReader, H3Error, encodeCapsule, encodeCapsuleHeader, encodeDatagramCapsule } from '../../src/index.ts'
import { ascii, varint } from '../h3-pair.ts'

type Taken = [type: number, value: string]

/** What a reader makes of `bytes` in pieces of `piece`. */
function read(reader: CapsuleReader, bytes: readonly number[], piece: number): Taken[] {
  const taken: Taken[] = []
  for (let at = 0; at < bytes.length; at += piece) {
    reader.feed(Uint8Array.from(bytes.slice(at, at + piece)))
    for (let capsule = reader.next(); capsule !== null; capsule = reader.next()) taken.push([capsule.type, String.fromCharCode(...capsule.value)])
  }
  return taken
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof H3Error) return `${error.scope} ${error.code}`
    throw error
  }
  return 'ok'
}

describe('capsules (RFC 9297 §3.2)', () => {
  const bytes = [
    ...encodeDatagramCapsule(ascii('hello')),
    ...encodeCapsule(0x1234, ascii('skipped')),
    ...encodeCapsule(0x2843, new Uint8Array(0)),
    ...encodeCapsule(2n ** 61n, ascii('skipped too')),
    ...encodeCapsule(0x2843, ascii('bye')),
  ]
  it('a DATAGRAM that is too large is skipped, or refused where that was asked for (RFC 9298 §5)', () => {
    const large = [...encodeDatagramCapsule(new Uint8Array(11))]
    expect(read(new CapsuleReader({ types: [0], maxValueLength: 10 }), large, 5)).toEqual([])
    const strict = new CapsuleReader({ types: [0], maxValueLength: 10, refuseLargeDatagrams: true })
    expect(codeOf(() => read(strict, large, 5))).toBe('stream H3_EXCESSIVE_LOAD')
  })
  it('are laid out as type, length, value', () => {
    expect([...encodeCapsule(0x2843, ascii('ab'))]).toEqual([0x68, 0x43, 2, 0x61, 0x62])
    expect([...encodeDatagramCapsule(new Uint8Array(0))]).toEqual([0, 0])
    expect([...encodeCapsuleHeader(0, 70_000)]).toEqual([0, ...varint(70_000)])
  })
  it.each([1, 2, 3, 7, 1000])('come in pieces of %i bytes; unknown ones are skipped', (piece) => {
    const reader = new CapsuleReader({ types: [0, 0x2843] })
    expect(read(reader, bytes, piece)).toEqual([[0, 'hello'], [0x2843, ''], [0x2843, 'bye']])
    reader.finish()
  })
  it('in one piece are views, not copies', () => {
    const reader = new CapsuleReader({ types: [0] })
    const input = encodeDatagramCapsule(ascii('hello'))
    reader.feed(input)
    expect(reader.next()!.value.buffer).toBe(input.buffer)
    expect(reader.next()).toBeNull()
  })
  it('cut short at the end of the stream are malformed (§3.3)', () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new CapsuleReader({ types: [0] })
      read(reader, bytes.slice(0, cut), 1000)
      const whole = [0, 7, 7 + 10, 7 + 10 + 3, 7 + 10 + 3 + 20, bytes.length].includes(cut)
      expect([cut, codeOf(() => reader.finish())]).toEqual([cut, whole ? 'ok' : 'stream H3_MESSAGE_ERROR'])
    }
  })
  it('too large: DATAGRAM is skipped unread (§3.5), another type is an error, an unknown one never is', () => {
    const reader = new CapsuleReader({ types: [0, 5], maxValueLength: 4 })
    const stream = [encodeCapsule(0, ascii('12345')), encodeCapsule(9, new Uint8Array(1000)), encodeCapsule(0, ascii('1234'))]
    expect(read(reader, stream.flatMap((capsule) => [...capsule]), 3)).toEqual([[0, '1234']])
    expect(codeOf(() => read(reader, [5, 5], 1))).toBe('stream H3_EXCESSIVE_LOAD')
    // Lengths that never come do not reserve memory.
    const patient = new CapsuleReader({ types: [0] })
    expect(read(patient, [9, ...varint(2 ** 50), 1, 2, 3], 2)).toEqual([])
  })
  it('what is fed must be taken first', () => {
    const reader = new CapsuleReader({ types: [0] })
    reader.feed(Uint8Array.from(bytes))
    expect(() => reader.feed(new Uint8Array(1))).toThrow(RangeError)
  })
  it('any sequence survives any cut; any bytes raise nothing but H3Error', () => {
    const capsules = fc.array(fc.tuple(fc.integer({ min: 0, max: 70_000 }), fc.uint8Array({ maxLength: 90 })), { maxLength: 8 })
    fc.assert(
      fc.property(capsules, fc.integer({ min: 1, max: 40 }), (list, piece) => {
        const stream = list.flatMap(([type, value]) => [...encodeCapsule(type, value)])
        const wanted = list.filter(([type]) => type % 2 === 0)
        const reader = new CapsuleReader({ types: wanted.map(([type]) => type) })
        expect(read(reader, stream, piece)).toEqual(wanted.map(([type, value]) => [type, String.fromCharCode(...value)]))
        reader.finish()
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (noise, piece) => {
        const reader = new CapsuleReader({ types: [0, 1, 2], maxValueLength: 10 })
        codeOf(() => read(reader, [...noise], piece))
        codeOf(() => reader.finish())
      }),
    )
  })
})
