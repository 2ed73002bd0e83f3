import { EOS, HUFFMAN } from './huffman-table.ts'

/**
 * Huffman decoding (RFC 7541 §5.2), one table look-up per byte. A state is an inner node of the code tree (there are exactly 256),
 * state 0 the root. A transition is one Uint32: bits 0-7 and 8-15 the symbols completed (no code is shorter than 5 bits, so at most
 * 2), 16-17 their number, 18-25 the next state, 26 set when the byte completes EOS, which is an error.
 */

const FAIL = 1 << 26

class DecodeTable {
  readonly transitions: Uint32Array
  /** 1 where the string may end: fewer than 8 bits, all ones, since the last symbol. */
  readonly accepting: Uint8Array

  constructor() {
    const tree = buildTree()
    this.transitions = new Uint32Array(256 * 256)
    this.accepting = new Uint8Array(256)
    for (let state = 0; state < 256; state++) {
      for (let byte = 0; byte < 256; byte++) this.transitions[(state << 8) | byte] = walk(tree, state, byte)
    }
    let node = 0
    for (let depth = 0; depth < 8; depth++) {
      this.accepting[node] = 1
      node = tree[node * 2 + 1]!
    }
  }
}

/** Two slots per inner node: a child node, or ~symbol for a leaf. */
function buildTree(): Int32Array {
  const tree = new Int32Array(512)
  let nodes = 1
  for (let symbol = 0; symbol <= EOS; symbol++) {
    const code = HUFFMAN.codes[symbol]!
    let node = 0
    for (let bit = HUFFMAN.lengths[symbol]! - 1; bit > 0; bit--) {
      const slot = node * 2 + ((code >>> bit) & 1)
      if (tree[slot] === 0) tree[slot] = nodes++
      node = tree[slot]!
    }
    tree[node * 2 + (code & 1)] = ~symbol
  }
  return tree
}

function walk(tree: Int32Array, state: number, byte: number): number {
  let node = state
  let count = 0
  let symbols = 0
  for (let bit = 7; bit >= 0; bit--) {
    const next = tree[node * 2 + ((byte >>> bit) & 1)]!
    if (next >= 0) {
      node = next
      continue
    }
    if (~next === EOS) return FAIL
    symbols |= ~next << (count * 8)
    count++
    node = 0
  }
  return symbols | (count << 16) | (node << 18)
}

let table: DecodeTable | null = null

/** Room that decoding `length` coded bytes needs: two bytes are written at a time, whether they count or not. */
export function huffmanDecodedBound(length: number): number {
  return Math.floor((length * 8) / 5) + 2
}

/**
 * Decodes bytes [start, end) into `out`, which has room for `huffmanDecodedBound`. Returns the number of bytes written,
 * or -1 when the coding is invalid: EOS inside, padding of 8 bits or more, padding other than ones (RFC 7541 §5.2).
 */
export function huffmanDecode(buffer: Uint8Array, start: number, end: number, out: Uint8Array): number {
  table ??= new DecodeTable()
  const transitions = table.transitions
  let t = 0
  let written = 0
  for (let i = start; i < end; i++) {
    t = transitions[((t >>> 10) & 0xff00) | buffer[i]!]!
    if (t >= FAIL) return -1
    // No branch on how many count: it could not be predicted.
    out[written] = t
    out[written + 1] = t >>> 8
    written += (t >>> 16) & 3
  }
  return table.accepting[t >>> 18] === 1 ? written : -1
}
