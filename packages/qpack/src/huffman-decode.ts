import { EOS, HUFFMAN } from './huffman-table.ts'

/**
 * Huffman decoding (RFC 7541 §5.2), one table look-up per byte. A state is an inner node of the code tree (there are exactly 256),
 * state 0 the root. A transition is one Uint32: bits 0-7 the next state, 8-9 the number of symbols completed (no code is
 * shorter than 5 bits, so at most 2), 10-17 and 18-25 the symbols, 26 set when the byte completes EOS, which is an error.
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
    symbols |= ~next << (10 + count * 8)
    count++
    node = 0
  }
  return symbols | (count << 8) | node
}

let table: DecodeTable | null = null

/** Most bytes that `length` coded bytes can become. */
export function huffmanDecodedBound(length: number): number {
  return Math.floor((length * 8) / 5)
}

/**
 * Decodes bytes [start, end) into `out`, which has room for `huffmanDecodedBound`. Returns the number of bytes written,
 * or -1 when the coding is invalid: EOS inside, padding of 8 bits or more, padding other than ones (RFC 7541 §5.2).
 */
export function huffmanDecode(buffer: Uint8Array, start: number, end: number, out: Uint8Array): number {
  table ??= new DecodeTable()
  const transitions = table.transitions
  let state = 0
  let written = 0
  for (let i = start; i < end; i++) {
    const t = transitions[(state << 8) | buffer[i]!]!
    if (t >= FAIL) return -1
    state = t & 0xff
    const count = (t >>> 8) & 3
    if (count !== 0) {
      out[written++] = (t >>> 10) & 0xff
      if (count === 2) out[written++] = (t >>> 18) & 0xff
    }
  }
  return table.accepting[state] === 1 ? written : -1
}
