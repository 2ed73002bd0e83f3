import { describe, expect, it } from 'vitest'
import { QpackDecoder, QpackEncoder } from '../src/index.ts'
import { RecentLiterals } from '../src/recent-literals.ts'
import { RecentStrings } from '../src/recent-strings.ts'
import { huffmanEncode, huffmanSize } from '../src/huffman-encode.ts'
import { SectionWriter } from '../src/section-writer.ts'
import { Random, fieldLists } from './exchange.ts'
import { hex } from './vectors.ts'

const LIMIT = { maxFieldSectionSize: 65_536 }

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0))
}

function coded(text: string): Uint8Array {
  const out = new Uint8Array(huffmanSize(text))
  huffmanEncode(text, out, 0)
  return out
}

describe('without a dynamic table, what has been coded before', () => {
  it.each([1, 2, 3, 4])('comes out as from an encoder and a decoder that have coded nothing (seed %i)', (seed) => {
    const encoder = new QpackEncoder()
    const decoder = new QpackDecoder(LIMIT)
    let i = 0
    for (const fields of fieldLists(new Random(seed), 1500)) {
      // The plain twins: too young to know anything.
      const section = encoder.encode(i * 4, fields).slice()
      expect(hex(section), `seed ${seed}, list ${i}`).toBe(hex(new QpackEncoder().encode(0, fields)))
      const read = decoder.decode(i * 4, section, 0, section.length)
      expect(read, `seed ${seed}, list ${i}`).toEqual(new QpackDecoder(LIMIT).decode(0, section, 0, section.length))
      expect(read?.fields).toEqual(fields)
      i += 1
    }
  })

  it('a longer coding of the same length prefix is coded right: 126 to 129 octets, names of 5 to 12', () => {
    const writer = new SectionWriter()
    for (const alphabet of ['0', 'x', '~', '\u00ff', 'a\u00ff', '00000~']) {
      for (let length = 0; length < 180; length += 1) {
        const text = alphabet.repeat(length).slice(0, length)
        for (const prefixBits of [4, 6, 8]) {
          writer.reset()
          writer.string(0, prefixBits, text)
          const onePass = hex(writer.view())
          writer.reset()
          writer.sizedString(0, prefixBits, text, huffmanSize(text))
          expect(onePass, `${JSON.stringify(alphabet)} x ${length}, prefix ${prefixBits}`).toBe(hex(writer.view()))
        }
      }
    }
  })
})

describe('recent strings', () => {
  const find = (recent: RecentStrings, text: string): string | null => {
    const data = coded(text)
    const known = recent.find(data, 0, data.length, true)
    if (known === null) recent.remember(data, 0, data.length, true, text)
    return known
  }

  it('are kept when they come the second time, and found the third', () => {
    const recent = new RecentStrings()
    expect([1, 2, 3, 4].map(() => find(recent, 'text/html; charset=utf-8'))).toEqual([null, null, 'text/html; charset=utf-8', 'text/html; charset=utf-8'])
  })

  it('coded and plain are told apart', () => {
    const recent = new RecentStrings()
    const data = coded('text/html; charset=utf-8')
    for (let i = 0; i < 3; i += 1) find(recent, 'text/html; charset=utf-8')
    expect(recent.find(data, 0, data.length, false)).toBeNull()
    expect(recent.find(data, 0, data.length, true)).not.toBeNull()
  })

  it('too long ones are not kept, and leave the one before alone', () => {
    const recent = new RecentStrings()
    const data = bytesOf('x'.repeat(200))
    for (let i = 0; i < 4; i += 1) {
      expect(recent.find(data, 0, data.length, false)).toBeNull()
      recent.remember(data, 0, data.length, false, 'x'.repeat(200))
    }
  })

  it('hold however many different ones come, and find only what is meant', () => {
    const recent = new RecentStrings()
    let found = 0
    for (let i = 0; i < 30_000; i += 1) {
      const text = `/images/${i % 7 === 0 ? i % 50 : i}/picture.png`
      const known = find(recent, text)
      if (known === null) continue
      expect(known).toBe(text)
      found += 1
    }
    expect(found).toBeGreaterThan(2000)
  })
})

describe('recent literals', () => {
  it('are kept when they come the second time', () => {
    const recent = new RecentLiterals()
    const text = 'text/html; charset=utf-8'
    expect(recent.find(text)).toBeNull()
    expect(hex(recent.find(text)!)).toBe(hex(coded(text)))
    expect(recent.find(text)).toBe(recent.find(text))
  })

  it('say so when Huffman coding makes nothing shorter', () => {
    const recent = new RecentLiterals()
    recent.find('\u00ff'.repeat(12))
    expect(recent.find('\u00ff'.repeat(12))).toHaveLength(0)
  })

  it('are neither short nor endless', () => {
    const recent = new RecentLiterals()
    for (const text of ['abc', 'a'.repeat(400)]) expect([1, 2, 3].map(() => recent.find(text))).toEqual([null, null, null])
  })
})
