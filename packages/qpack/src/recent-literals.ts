import { HUFFMAN_OVERRUN, huffmanEncode, huffmanSize } from './huffman-encode.ts'

/**
 * String literals encoded lately, by their text: where the peer allows no dynamic table, what comes again is copied instead of coded once more
 * (docs/performance.md has the figures). What has been seen once leaves nothing but its hash; the second time it is kept, in one of the two places of
 * its set. At most 2 * SETS literals of LONGEST octets: 192 KiB, and only what our own side sends gets here.
 */

const SETS = 128
const SHORTEST = 8
const LONGEST = 384
const SEEN = 512

export class RecentLiterals {
  private readonly seen: Int32Array
  private readonly texts: string[]
  private readonly coded: Uint8Array[]
  /** Which place of each set has been of no use for longer. */
  private readonly older: Uint8Array

  constructor() {
    this.seen = new Int32Array(SEEN)
    this.texts = Array.from({ length: 2 * SETS }, () => '')
    this.coded = Array.from({ length: 2 * SETS }, () => PLAIN)
    this.older = new Uint8Array(SETS)
  }

  /** The Huffman coding of a text that has come before, empty where it would not be shorter; null for any other. Throws FieldCharacterError. */
  find(text: string): Uint8Array | null {
    const { length } = text
    if (length < SHORTEST || length > LONGEST) return null
    const hash = hashOf(text, length)
    const set = hash & (SETS - 1)
    for (let way = 0; way < 2; way += 1) {
      if (this.texts[set * 2 + way] !== text) continue
      this.older[set] = 1 - way
      return this.coded[set * 2 + way]!
    }
    const mark = (hash >>> 7) & (SEEN - 1)
    if (this.seen[mark] === hash) return this.keep(text, set)
    this.seen[mark] = hash
    return null
  }

  private keep(text: string, set: number): Uint8Array {
    const size = huffmanSize(text)
    let coded = PLAIN
    if (size < text.length) {
      const room = new Uint8Array(size + HUFFMAN_OVERRUN)
      huffmanEncode(text, room, 0)
      coded = room.subarray(0, size)
    }
    const way = this.older[set]!
    this.older[set] = 1 - way
    this.texts[set * 2 + way] = text
    this.coded[set * 2 + way] = coded
    return coded
  }
}

const PLAIN: Uint8Array = new Uint8Array(0)

// What differs among texts that are much alike is mostly near the end, before an extension. What is found is compared as a whole.
function hashOf(text: string, length: number): number {
  let hash = Math.imul(length ^ text.charCodeAt(0), 0x01000193)
  hash = Math.imul(hash ^ text.charCodeAt(length >>> 2), 0x01000193)
  hash = Math.imul(hash ^ text.charCodeAt(length >>> 1), 0x01000193)
  hash = Math.imul(hash ^ text.charCodeAt(length - 1), 0x01000193)
  for (let i = length - 8; i < length - 3; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
