import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../src/base/assert.ts'
import { Reader } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'

type Field =
  | { kind: 'u8' | 'u16' | 'u24' | 'u32' | 'varint' | 'varint2' | 'varint4'; value: number }
  | { kind: 'varintExact'; value: number | bigint }
  | { kind: 'bytes'; value: Uint8Array }

const number = (kind: 'u8' | 'u16' | 'u24' | 'u32' | 'varint' | 'varint2' | 'varint4', max: number): fc.Arbitrary<Field> =>
  fc.integer({ min: 0, max }).map((value): Field => ({ kind, value }))

const field: fc.Arbitrary<Field> = fc.oneof(
  number('u8', 0xff),
  number('u16', 0xffff),
  number('u24', 0xffffff),
  number('u32', 0xffffffff),
  number('varint', Number.MAX_SAFE_INTEGER),
  number('varint2', 16383),
  number('varint4', 2 ** 30 - 1),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 62n - 1n }).map((value): Field => ({ kind: 'varintExact', value })),
  fc.uint8Array({ maxLength: 80 }).map((value): Field => ({ kind: 'bytes', value })),
)

function write(writer: Writer, field: Field): void {
  if (field.kind === 'bytes') writer.bytes(field.value)
  else if (field.kind === 'varintExact') writer.varintExact(field.value)
  else writer[field.kind](field.value)
}

function read(reader: Reader, field: Field): number | bigint | Uint8Array {
  if (field.kind === 'bytes') return reader.view(field.value.length)
  if (field.kind === 'varintExact') return reader.varintExact()
  if (field.kind === 'varint2' || field.kind === 'varint4') return reader.varint()
  return reader[field.kind]()
}

function encode(fields: readonly Field[]): Uint8Array {
  const writer = new Writer(new Uint8Array(4096))
  for (const f of fields) write(writer, f)
  return writer.buffer.subarray(0, writer.position)
}

describe('Reader and Writer', () => {
  it('read back what was written, at any offset', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), fc.nat(7), (fields, offset) => {
        const buffer = new Uint8Array(4096).fill(0xee)
        const writer = new Writer()
        writer.reset(buffer, offset, buffer.length)
        for (const f of fields) write(writer, f)
        const reader = new Reader()
        reader.reset(buffer, offset, writer.position)
        for (const f of fields) expect(read(reader, f)).toEqual(f.value)
        expect(reader.failed).toBe(false)
        expect(reader.remaining).toBe(0)
        reader.u8()
        expect(reader.failed).toBe(true)
      }),
    )
  })

  it('a cut anywhere sets failed, and nothing is read behind it', () => {
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 8 }), fc.nat(), (fields, at) => {
        const encoded = encode(fields)
        fc.pre(encoded.length > 0)
        const buffer = new Uint8Array(encoded.length + 64).fill(0xff)
        buffer.set(encoded)
        const reader = new Reader(buffer, 0, at % encoded.length)
        for (const f of fields) read(reader, f)
        expect(reader.failed).toBe(true)
        expect(reader.position).toBe(at % encoded.length)
        expect(reader.u32()).toBe(0)
      }),
    )
  })

  it('varint fails above 2^53 − 1, varintSaturating clamps, varintExact keeps', () => {
    const encoded = encode([{ kind: 'varintExact', value: 2n ** 53n }])
    const strict = new Reader(encoded)
    expect(strict.varint()).toBe(0)
    expect(strict.failed).toBe(true)
    const clamped = new Reader(encoded)
    expect(clamped.varintSaturating()).toBe(Number.MAX_SAFE_INTEGER)
    expect(clamped.failed).toBe(false)
    expect(clamped.remaining).toBe(0)
    expect(new Reader(encoded).varintExact()).toBe(2n ** 53n)
  })

  it('reset clamps to the buffer and forgets a failure', () => {
    const reader = new Reader(new Uint8Array(1))
    reader.u16()
    expect(reader.failed).toBe(true)
    reader.reset(Uint8Array.of(1, 2), 0, 10)
    expect(reader.remaining).toBe(2)
    expect(reader.u16()).toBe(0x0102)
    expect(reader.failed).toBe(false)
    reader.skip(1)
    expect(reader.failed).toBe(true)
  })

  it('writing past the limit is a bug and leaves the bytes behind it alone', () => {
    fc.assert(
      fc.property(field, fc.nat(), (f, at) => {
        const length = encode([f]).length
        fc.pre(length > 0)
        const buffer = new Uint8Array(256).fill(0xee)
        const writer = new Writer(buffer, 0, at % length)
        expect(() => write(writer, f)).toThrow(InvariantError)
        expect(buffer.every((byte) => byte === 0xee)).toBe(true)
      }),
    )
  })

  it('bytes copies a part, of any length; zeros overwrites', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat(), (source, a, b) => {
        const start = a % (source.length + 1)
        const end = start + (b % (source.length - start + 1))
        const writer = new Writer(new Uint8Array(256).fill(0xee))
        writer.bytes(source, start, end)
        expect(writer.position).toBe(end - start)
        expect(writer.buffer.subarray(0, writer.position)).toEqual(source.subarray(start, end))
        expect(writer.buffer[writer.position]).toBe(0xee)
        const from = writer.position
        writer.zeros(20)
        expect(writer.buffer.subarray(from, from + 21)).toEqual(Uint8Array.from([...new Array<number>(20).fill(0), 0xee]))
      }),
    )
  })
})
