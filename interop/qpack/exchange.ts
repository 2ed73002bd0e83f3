// Lists from one encoder to the other decoder: encoder streams cut and late, acknowledgments late or replaced by cancellations.

import { QpackDecoder, QpackEncoder } from '@quicwire/qpack'
import type { FieldLine } from '@quicwire/qpack'
import { Random } from './random.ts'
import type { Corpus } from './corpora.ts'
import { bytes, hex, type QpackPeer } from './peer.ts'

/** Largest field section, more than any here. */
export const LIMIT: number = 1 << 20

function same(a: readonly FieldLine[], b: readonly FieldLine[]): boolean {
  return a.length === b.length && a.every((field, i) => field[0] === b[i]![0] && field[1] === b[i]![1])
}

export function demand(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

interface Waiting {
  readonly stream: number
  readonly list: readonly FieldLine[]
  readonly section: string
}

export interface Tally {
  lists: number
  blocked: number
  cancelled: number
  insertions: number
}

/** Ours encodes, the peer decodes. Encoder stream and sections arrive in any order, in pieces. */
export async function encodeHere(peer: QpackPeer, corpus: Corpus, capacity: number, budget: number, seed: number, tally: Tally): Promise<void> {
  const random = new Random(seed)
  const encoder = new QpackEncoder()
  encoder.applySettings(capacity, budget)
  await peer.one({ verb: 'decoder', capacity, blocked: budget })
  let late = ''
  let back = ''
  const blocked = new Map<number, Waiting>()
  const deliver = async (length: number): Promise<void> => {
    const piece = late.slice(0, length * 2)
    late = late.slice(length * 2)
    const { unblocked } = await peer.one({ verb: 'feed-encoder', data: piece })
    for (const stream of unblocked!) {
      const waiting = blocked.get(stream)!
      blocked.delete(stream)
      const result = await peer.one({ verb: 'resume', stream })
      demand(same(result.headers!, waiting.list), `stream ${stream} decodes to something else after blocking`)
      back += result.instructions!
    }
  }
  for (const [i, list] of corpus.lists.entries()) {
    const stream = i * 4
    const section = hex(encoder.encode(stream, list))
    const instructions = encoder.takeInstructions()
    if (instructions !== null) late += hex(instructions)
    while (late.length > 0 && random.below(budget === 0 ? 3 : 2) !== 0) await deliver(1 + random.below(late.length / 2))
    const result = await peer.one({ verb: 'decode', stream, data: section })
    if (result.blocked === true) {
      tally.blocked += 1
      blocked.set(stream, { stream, list, section })
      if (random.below(10) === 0) {
        blocked.delete(stream)
        back += (await peer.one({ verb: 'cancel', stream })).instructions!
        tally.cancelled += 1
      }
    } else {
      demand(same(result.headers!, list), `stream ${stream} decodes to something else`)
      back += result.instructions!
    }
    while (back.length > 0 && random.below(3) === 0) {
      const length = 2 * (1 + random.below(back.length / 2))
      encoder.onDecoderStream(bytes(back.slice(0, length)))
      back = back.slice(length)
    }
    tally.lists += 1
  }
  await deliver(late.length / 2)
  encoder.onDecoderStream(bytes(back))
  demand(blocked.size === 0, 'a stream stays blocked')
  demand(encoder.outstandingSections === 0, `${encoder.outstandingSections} sections stay outstanding`)
  tally.insertions += encoder.insertCount
}

/** the peer encodes, ours decodes. */
export async function decodeHere(peer: QpackPeer, corpus: Corpus, capacity: number, budget: number, seed: number, tally: Tally): Promise<void> {
  const random = new Random(seed)
  const decoder = new QpackDecoder({ maxFieldSectionSize: LIMIT, maxTableCapacity: capacity, maxBlockedStreams: budget })
  let late = (await peer.one({ verb: 'encoder', capacity, blocked: budget })).instructions!
  let back = ''
  const blocked = new Map<number, Waiting>()
  const take = (): void => {
    const instructions = decoder.takeInstructions()
    if (instructions !== null) back += hex(instructions)
  }
  const deliver = (length: number): void => {
    for (const byte of bytes(late.slice(0, length * 2))) {
      decoder.onEncoderStream(Uint8Array.of(byte))
      for (let stream = decoder.nextUnblocked(); stream !== -1; stream = decoder.nextUnblocked()) {
        const waiting = blocked.get(stream)!
        blocked.delete(stream)
        const block = bytes(waiting.section)
        const section = decoder.decode(stream, block, 0, block.length)
        demand(section !== null && same(section.fields, waiting.list), `stream ${stream} decodes to something else after blocking`)
      }
    }
    late = late.slice(length * 2)
  }
  for (const [i, headers] of corpus.lists.entries()) {
    const stream = i * 4
    const result = await peer.one({ verb: 'encode', stream, headers })
    late += result.instructions!
    while (late.length > 0 && random.below(2) !== 0) deliver(1 + random.below(late.length / 2))
    const block = bytes(result.section!)
    const section = decoder.decode(stream, block, 0, block.length)
    if (section !== null) demand(same(section.fields, headers), `stream ${stream} decodes to something else`)
    else {
      tally.blocked += 1
      blocked.set(stream, { stream, list: headers, section: result.section! })
      if (random.below(10) === 0) {
        blocked.delete(stream)
        decoder.cancelStream(stream)
        tally.cancelled += 1
      }
    }
    if (random.below(2) === 0) take()
    while (back.length > 0 && random.below(3) === 0) {
      const length = 2 * (1 + random.below(back.length / 2))
      await peer.one({ verb: 'feed-decoder', data: back.slice(0, length) })
      back = back.slice(length)
    }
    tally.lists += 1
  }
  deliver(late.length / 2)
  take()
  if (back.length > 0) await peer.one({ verb: 'feed-decoder', data: back })
  demand(blocked.size === 0, 'a stream stays blocked')
  tally.insertions += decoder.insertCount
}
