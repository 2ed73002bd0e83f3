// Taking extension blocks of handshake messages apart and putting them together again, otherwise.

import { concatBytes } from '../../src/base/bytes.ts'

/** Where the extension block (with its length) of a hello of ours starts: after version, random, session id, suites, compression. */
export function helloExtensions(body: Uint8Array): number {
  const suites = (body[35]! << 8) | body[36]!
  return 37 + suites + 2
}

export type Extension = readonly [type: number, body: Uint8Array]

export type Change = (list: Extension[]) => readonly Extension[]

export function changeExtensions(body: Uint8Array, at: number, change: (list: Extension[]) => readonly Extension[]): Uint8Array {
  const list: Extension[] = []
  for (let i = at + 2; i < body.length; ) {
    const length = (body[i + 2]! << 8) | body[i + 3]!
    list.push([(body[i]! << 8) | body[i + 1]!, body.slice(i + 4, i + 4 + length)])
    i += 4 + length
  }
  const head = (type: number, length: number): Uint8Array => Uint8Array.of(type >> 8, type & 255, length >> 8, length & 255)
  const block = concatBytes(...change(list).flatMap(([type, data]) => [head(type, data.length), data]))
  return concatBytes(body.subarray(0, at), Uint8Array.of(block.length >> 8, block.length & 255), block)
}

export const without = (type: number): Change => (list) => list.filter(([entry]) => entry !== type)
export const adding = (...more: Extension[]): Change => (list) => [...list, ...more]
export const set = (type: number, body: Uint8Array): Change => (list) => list.map((entry): Extension => (entry[0] === type ? [type, body] : entry))
