// `pnpm interop:qpack`: our encoder against ls-qpack's decoder and the other way round, at all table sizes and blocking budgets, with
// encoder streams cut and late, and acknowledgements late or replaced by cancellations; then who needs fewer bytes.

import { QpackDecoder, QpackEncoder } from '@quicwire/qpack'
import type { FieldLine } from '@quicwire/qpack'
import { Random, browserRequests, cdnResponses, noise, programRequests } from './corpora.ts'
import type { Corpus } from './corpora.ts'
import { LsQpack, bytes, hex, install } from './ls-qpack.ts'

const CAPACITIES = [0, 64, 256, 512, 1024, 4096, 16_384]
const BUDGETS = [0, 1, 4, 100]
const LIMIT = 1 << 20

function same(a: readonly FieldLine[], b: readonly FieldLine[]): boolean {
  return a.length === b.length && a.every((field, i) => field[0] === b[i]![0] && field[1] === b[i]![1])
}

function demand(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

interface Waiting {
  readonly stream: number
  readonly list: readonly FieldLine[]
  readonly section: string
}

interface Tally {
  lists: number
  blocked: number
  cancelled: number
  insertions: number
}

/** Ours encodes, ls-qpack decodes. Encoder stream and sections arrive in any order, in pieces. */
async function encodeHere(peer: LsQpack, corpus: Corpus, capacity: number, budget: number, seed: number, tally: Tally): Promise<void> {
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

/** ls-qpack encodes, ours decodes. */
async function decodeHere(peer: LsQpack, corpus: Corpus, capacity: number, budget: number, seed: number, tally: Tally): Promise<void> {
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

interface Sizes {
  readonly ours: number
  readonly theirs: number
  readonly plain: number
}

/** Bytes of sections and encoder stream, when acknowledgements come `delay` sections late. */
async function compare(peer: LsQpack, corpus: Corpus, capacity: number, budget: number, delay: number): Promise<Sizes> {
  const run = async (encode: (stream: number, list: readonly FieldLine[]) => Promise<[Uint8Array | null, Uint8Array]>, acknowledge: (data: Uint8Array) => Promise<void>): Promise<number> => {
    const decoder = new QpackDecoder({ maxFieldSectionSize: LIMIT, maxTableCapacity: capacity, maxBlockedStreams: budget })
    const queue: (Uint8Array | null)[] = []
    let total = 0
    for (const [i, list] of corpus.lists.entries()) {
      const [instructions, section] = await encode(i * 4, list)
      total += section.length + (instructions?.length ?? 0)
      if (instructions !== null) decoder.onEncoderStream(instructions)
      demand(decoder.decode(i * 4, section, 0, section.length) !== null, 'blocked although everything is in order')
      queue.push(decoder.takeInstructions())
      const due = queue.length > delay ? queue.shift()! : null
      if (due !== null) await acknowledge(due)
    }
    return total
  }
  const encoder = new QpackEncoder({ maxTableCapacity: capacity })
  encoder.applySettings(capacity, budget)
  const ours = await run(
    (stream, list) => {
      const section = encoder.encode(stream, list).slice()
      return Promise.resolve([encoder.takeInstructions(), section])
    },
    (data) => Promise.resolve(encoder.onDecoderStream(data)),
  )
  let first = (await peer.one({ verb: 'encoder', capacity, blocked: budget })).instructions!
  const theirs = await run(
    async (stream, headers) => {
      const result = await peer.one({ verb: 'encode', stream, headers })
      const instructions = bytes(first + result.instructions!)
      first = ''
      return [instructions.length === 0 ? null : instructions, bytes(result.section!)]
    },
    async (data) => void (await peer.one({ verb: 'feed-decoder', data: hex(data) })),
  )
  const plain = corpus.lists.flat().reduce((size, field) => size + field[0].length + field[1].length, 0)
  return { ours, theirs, plain }
}

const quick = process.argv.includes('--quick')
const onlyRatio = process.argv.includes('--ratio')
const version = await install()
console.log(`pylsqpack ${version}`)
const peer = new LsQpack()
let failures = 0
if (!onlyRatio) {
  const count = quick ? 40 : 300
  for (const [direction, run] of [['ours to ls-qpack', encodeHere], ['ls-qpack to ours', decodeHere]] as const) {
    const tally: Tally = { lists: 0, blocked: 0, cancelled: 0, insertions: 0 }
    for (const capacity of CAPACITIES) {
      for (const budget of BUDGETS) {
        for (const make of [noise, browserRequests, cdnResponses]) {
          const seed = capacity * 1000 + budget
          try {
            await run(peer, make(seed, count), capacity, budget, seed + 1, tally)
          } catch (error) {
            failures += 1
            console.log(`FAILED ${direction}, ${make.name}, capacity ${capacity}, budget ${budget}, seed ${seed}: ${(error as Error).message}`)
          }
        }
      }
    }
    console.log(`${direction}: ${tally.lists} lists, ${tally.insertions} insertions, ${tally.blocked} blocked, ${tally.cancelled} cancelled`)
  }
}
console.log(`\n${'bytes, sections and encoder stream'.padEnd(36)} capacity budget  late     ours  ls-qpack   ratio  of plain`)
const count = quick ? 150 : 1000
let worst = 0
let sumOurs = 0
let sumTheirs = 0
for (const corpus of [browserRequests(1, count), cdnResponses(2, count), programRequests(3, count)]) {
  for (const capacity of [256, 512, 1024, 4096, 16_384]) {
    for (const budget of [0, 100]) {
      for (const delay of [0, 8]) {
        const { ours, theirs, plain } = await compare(peer, corpus, capacity, budget, delay)
        worst = Math.max(worst, ours / theirs)
        sumOurs += ours
        sumTheirs += theirs
        const figures = [String(capacity).padStart(8), String(budget).padStart(6), String(delay).padStart(5), String(ours).padStart(8), String(theirs).padStart(9)]
        console.log(`${corpus.name.padEnd(36)} ${figures.join(' ')} ${(ours / theirs).toFixed(3).padStart(7)} ${((100 * ours) / plain).toFixed(1).padStart(8)}%`)
      }
    }
  }
}
console.log(`\nall together ${(sumOurs / sumTheirs).toFixed(3)} of ls-qpack, worst ${worst.toFixed(3)}`)
peer.stop()
process.exitCode = failures === 0 ? 0 : 1
