// Inputs made from good ones: a few changes at a time, of the kinds that parsers stumble over.

import type { SeededRandom } from '../packages/quic/src/testing/seeded-random.ts'

/** Longest input made. */
const MAX_LENGTH = 16_384
const MAX_CHANGES = 6

/** Ends of length fields and of varint encodings. */
const TELLING = [0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff]

type Change = (bytes: number[], random: SeededRandom, corpus: readonly Uint8Array[]) => void

/** A range of at least one byte, short ones more often. */
function range(bytes: readonly number[], random: SeededRandom): { at: number; count: number } {
  const at = random.below(bytes.length)
  const most = bytes.length - at
  return { at, count: 1 + random.below(random.below(3) === 0 ? most : Math.min(most, 8)) }
}

const changes: readonly Change[] = [
  (bytes, random) => {
    const at = random.below(bytes.length)
    bytes[at] = bytes[at]! ^ (1 << random.below(8))
  },
  (bytes, random) => void (bytes[random.below(bytes.length)] = random.below(256)),
  (bytes, random) => void (bytes[random.below(bytes.length)] = TELLING[random.below(TELLING.length)]!),
  (bytes, random) => {
    // Off by one.
    const at = random.below(bytes.length)
    bytes[at] = (bytes[at]! + (random.below(2) === 0 ? 1 : 255)) & 0xff
  },
  (bytes, random) => {
    const { at, count } = range(bytes, random)
    bytes.splice(at, count)
  },
  (bytes, random) => void bytes.splice(random.below(bytes.length)),
  (bytes, random) => {
    const { at, count } = range(bytes, random)
    bytes.splice(random.below(bytes.length + 1), 0, ...bytes.slice(at, at + count))
  },
  (bytes, random) => {
    const noise = Array.from({ length: 1 + random.below(8) }, () => random.below(256))
    bytes.splice(random.below(bytes.length + 1), 0, ...noise)
  },
  (bytes, random, corpus) => {
    const other = [...corpus[random.below(corpus.length)]!]
    if (other.length === 0) return
    const { at, count } = range(other, random)
    bytes.splice(random.below(bytes.length + 1), random.below(9), ...other.slice(at, at + count))
  },
]

/** One of `corpus`, now and then as it is, mostly with one to six changes. */
export function mutated(corpus: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  const bytes = [...corpus[random.below(corpus.length)]!]
  const count = random.below(MAX_CHANGES + 1)
  for (let i = 0; i < count; i++) {
    if (bytes.length === 0) bytes.push(random.below(256))
    changes[random.below(changes.length)]!(bytes, random, corpus)
  }
  return Uint8Array.from(bytes.slice(0, MAX_LENGTH))
}
