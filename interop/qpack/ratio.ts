// Bytes that our encoder and somebody else's need for the same lists, in cells of table size, blocking budget and lateness of acknowledgments.

import { QpackDecoder, QpackEncoder } from '@quicwire/qpack'
import type { FieldLine } from '@quicwire/qpack'
import type { Corpus } from './corpora.ts'
import { LIMIT, demand } from './exchange.ts'
import { bytes, hex, type QpackPeer } from './peer.ts'

export interface Cell {
  /** Bytes of dynamic table. */
  readonly capacity: number
  /** Streams that may block. */
  readonly budget: number
  /** Sections by which acknowledgments come late. */
  readonly delay: number
}

export const CELLS: readonly Cell[] = [256, 512, 1024, 4096, 16_384].flatMap((capacity) =>
  [0, 100].flatMap((budget) => [0, 8].map((delay): Cell => ({ capacity, budget, delay }))),
)

interface Encoding {
  encode(stream: number, list: readonly FieldLine[]): Promise<[instructions: Uint8Array | null, section: Uint8Array]>
  acknowledge(data: Uint8Array): Promise<void>
}

export function ours({ capacity, budget }: Cell): Promise<Encoding> {
  const encoder = new QpackEncoder({ maxTableCapacity: capacity })
  encoder.applySettings(capacity, budget)
  return Promise.resolve({
    encode: (stream, list) => {
      const section = encoder.encode(stream, list).slice()
      return Promise.resolve([encoder.takeInstructions(), section])
    },
    acknowledge: (data) => Promise.resolve(encoder.onDecoderStream(data)),
  })
}

export async function theirs(peer: QpackPeer, { capacity, budget }: Cell): Promise<Encoding> {
  let first = (await peer.one({ verb: 'encoder', capacity, blocked: budget })).instructions!
  return {
    encode: async (stream, headers) => {
      const result = await peer.one({ verb: 'encode', stream, headers })
      const instructions = bytes(first + result.instructions!)
      first = ''
      return [instructions.length === 0 ? null : instructions, bytes(result.section!)]
    },
    acknowledge: async (data) => void (await peer.one({ verb: 'feed-decoder', data: hex(data) })),
  }
}

/** Bytes of sections and encoder stream. What is sent is decoded here, whoever has encoded it. */
export async function bytesFor(corpus: Corpus, { capacity, budget, delay }: Cell, encoding: Encoding): Promise<number> {
  const decoder = new QpackDecoder({ maxFieldSectionSize: LIMIT, maxTableCapacity: capacity, maxBlockedStreams: budget })
  const queue: (Uint8Array | null)[] = []
  let total = 0
  for (const [i, list] of corpus.lists.entries()) {
    const [instructions, section] = await encoding.encode(i * 4, list)
    total += section.length + (instructions?.length ?? 0)
    if (instructions !== null) decoder.onEncoderStream(instructions)
    demand(decoder.decode(i * 4, section, 0, section.length) !== null, 'blocked although everything is in order')
    queue.push(decoder.takeInstructions())
    const due = queue.length > delay ? queue.shift()! : null
    if (due !== null) await encoding.acknowledge(due)
  }
  return total
}

/** Octets of names and values. */
export function plainSize({ lists }: Corpus): number {
  return lists.flat().reduce((size, field) => size + field[0].length + field[1].length, 0)
}
