/**
 * Strings decoded lately, by their coded bytes: where the peer uses no dynamic table, what comes again is found here instead of being decoded and
 * built once more (docs/performance.md has the figures). What has been seen once leaves nothing but its hash; the second time it is kept, in one
 * of the two places of its set. At most 2 * SETS strings from LONGEST coded bytes: 128 KiB.
 */

const SETS = 128
const SHORTEST = 6
const LONGEST = 192
/** Octets that go into the hash, beside the last ones. */
const SAMPLES = 8
const SEEN = 512

export class RecentStrings {
  private readonly seen: Int32Array
  private readonly coded: Uint8Array[]
  private readonly huffman: Uint8Array
  private readonly texts: string[]
  /** Which place of each set has been of no use for longer. */
  private readonly older: Uint8Array
  private hash: number

  constructor() {
    this.seen = new Int32Array(SEEN)
    this.coded = Array.from({ length: 2 * SETS }, () => NOTHING)
    this.huffman = new Uint8Array(2 * SETS)
    this.texts = Array.from({ length: 2 * SETS }, () => '')
    this.older = new Uint8Array(SETS)
    this.hash = 0
  }

  /** What buffer[start, end) stands for, `huffman` coded or not; null when it is not known: `remember` it then, before the next `find`. */
  find(buffer: Uint8Array, start: number, end: number, huffman: boolean): string | null {
    const length = end - start
    this.hash = 0
    if (length < SHORTEST || length > LONGEST) return null
    const hash = hashOf(buffer, start, end)
    this.hash = hash
    const set = hash & (SETS - 1)
    const flag = huffman ? 1 : 0
    for (let way = 0; way < 2; way += 1) {
      const place = set * 2 + way
      if (this.huffman[place] !== flag || !isSame(this.coded[place]!, buffer, start, length)) continue
      this.older[set] = 1 - way
      return this.texts[place]!
    }
    return null
  }

  /** The text of what `find` has just not found. */
  remember(buffer: Uint8Array, start: number, end: number, huffman: boolean, text: string): void {
    const { hash } = this
    if (hash === 0) return
    const mark = (hash >>> 7) & (SEEN - 1)
    if (this.seen[mark] !== hash) {
      this.seen[mark] = hash
      return
    }
    const set = hash & (SETS - 1)
    const way = this.older[set]!
    const place = set * 2 + way
    this.older[set] = 1 - way
    this.coded[place] = buffer.slice(start, end)
    this.huffman[place] = huffman ? 1 : 0
    this.texts[place] = text
  }
}

const NOTHING = new Uint8Array(0)

function hashOf(buffer: Uint8Array, start: number, end: number): number {
  let hash = end - start
  const step = Math.ceil(hash / SAMPLES)
  for (let i = start; i < end; i += step) hash = Math.imul(hash ^ buffer[i]!, 0x01000193)
  for (let i = end - SHORTEST; i < end; i += 1) hash = Math.imul(hash ^ buffer[i]!, 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}

function isSame(coded: Uint8Array, buffer: Uint8Array, start: number, length: number): boolean {
  if (coded.length !== length) return false
  for (let i = 0; i < length; i += 1) if (coded[i] !== buffer[start + i]) return false
  return true
}
