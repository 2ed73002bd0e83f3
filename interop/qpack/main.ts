// `pnpm interop:qpack`: our encoder against the decoders of ls-qpack and nghttp3 and the other way round, at all table sizes and blocking budgets, with
// encoder streams cut and late, and acknowledgments late or replaced by cancellations; then who needs fewer bytes. Ends with 1 when lists come out
// different, or when we need more than TARGET times the bytes of the better of the two for any cell of the corpora the encoder was made on.

import { browserRequests, cdnResponses, noise, programRequests, type Corpus } from './corpora.ts'
import { decodeHere, encodeHere, type Tally } from './exchange.ts'
import { applicationRequests, gatewayRequests, interfaceResponses, mediaRequests, shopResponses } from './held-out.ts'
import { LsQpack } from './ls-qpack.ts'
import { Nghttp3 } from './nghttp3.ts'
import type { QpackPeer } from './peer.ts'
import { CELLS, bytesFor, ours, plainSize, theirs } from './ratio.ts'

const CAPACITIES = [0, 64, 256, 512, 1024, 4096, 16_384]
const BUDGETS = [0, 1, 4, 100]
const TARGET = 1.03

const quick = process.argv.includes('--quick')
const onlyRatio = process.argv.includes('--ratio')

/** Lists that came out different, or not at all. */
async function exchanges(peers: readonly QpackPeer[], count: number): Promise<number> {
  let failures = 0
  for (const peer of peers) {
    for (const [direction, run] of [[`ours to ${peer.name}`, encodeHere], [`${peer.name} to ours`, decodeHere]] as const) {
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
  return failures
}

/** Prints a row for each cell; the largest ratio. */
async function ratios(title: string, peers: readonly QpackPeer[], corpora: readonly Corpus[]): Promise<number> {
  const names = peers.map((peer) => peer.name.padStart(9)).join(' ')
  console.log(`\n${`${title}: bytes`.padEnd(28)} capacity budget  late      ours ${names}  of the better  of plain`)
  let worst = 0
  let above = 0
  const sums = [0, 0, ...peers.map(() => 0)]
  for (const corpus of corpora) {
    const plain = plainSize(corpus)
    for (const cell of CELLS) {
      const our = await bytesFor(corpus, cell, await ours(cell))
      const others: number[] = []
      for (const peer of peers) others.push(await bytesFor(corpus, cell, await theirs(peer, cell)))
      const better = Math.min(...others)
      const ratio = our / better
      worst = Math.max(worst, ratio)
      if (ratio > TARGET) above += 1
      ;[our, better, ...others].forEach((size, i) => (sums[i]! += size))
      const place = `${String(cell.capacity).padStart(8)} ${String(cell.budget).padStart(6)} ${String(cell.delay).padStart(5)}`
      const sizes = [our, ...others].map((size) => String(size).padStart(9)).join(' ')
      console.log(`${corpus.name.padEnd(28)} ${place} ${sizes} ${ratio.toFixed(3).padStart(14)} ${((100 * our) / plain).toFixed(1).padStart(8)}%`)
    }
  }
  const [our, better, ...others] = sums
  const beside = peers.map((peer, i) => `${(our! / others[i]!).toFixed(3)} of ${peer.name}`).join(', ')
  console.log(`${title}, all together: ${beside}, ${(our! / better!).toFixed(3)} of the better; worst cell ${worst.toFixed(3)}, ${above} above ${TARGET}`)
  return worst
}

// Each throws when its peer cannot be had: a comparison without one of them is none.
console.log(`pylsqpack ${await LsQpack.install()}, nghttp3 ${await Nghttp3.install()}`)
const peers = [new LsQpack(), new Nghttp3()]
const failures = onlyRatio ? 0 : await exchanges(peers, quick ? 40 : 300)
const count = quick ? 150 : 1000
const worst = await ratios('corpora', peers, [browserRequests(1, count), cdnResponses(2, count), programRequests(3, count)])
await ratios('held out', peers, [
  applicationRequests(101, count, true),
  applicationRequests(101, count, false),
  shopResponses(102, count),
  mediaRequests(103, count),
  interfaceResponses(104, count),
  gatewayRequests(105, count),
  browserRequests(106, count),
  cdnResponses(107, count),
  programRequests(108, count),
])
for (const peer of peers) peer.stop()
// The target is for lists enough to settle.
process.exitCode = failures === 0 && (quick || worst <= TARGET) ? 0 : 1
