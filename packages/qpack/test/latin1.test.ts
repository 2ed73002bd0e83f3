import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { latin1 } from '../src/latin1.ts'

/** The plain twin: one character at a time. */
function plain(buffer: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i += 1) text += String.fromCharCode(buffer[i]!)
  return text
}

describe('octets to strings', () => {
  it('agree with the plain twin, at every length and for all octets', () => {
    const octets = Uint8Array.from({ length: 9000 }, (_unused, i) => (i * 7) & 0xff)
    const ascii = octets.map((octet) => octet & 0x7f)
    for (const buffer of [octets, ascii]) {
      for (let length = 0; length < 130; length += 1) expect(latin1(buffer, 5, 5 + length)).toBe(plain(buffer, 5, 5 + length))
      expect(latin1(buffer, 3, 9000)).toBe(plain(buffer, 3, 9000))
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(10), (buffer, start) => {
        const from = Math.min(start, buffer.length)
        expect(latin1(buffer, from, buffer.length)).toBe(plain(buffer, from, buffer.length))
      }),
    )
  })
})
