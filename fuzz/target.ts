// What a target is, and a run of it. The same target, seed and number of runs give the same inputs on every machine.

import { fromHex, toHex } from '../packages/quic/src/base/bytes.ts'
import { SeededRandom } from '../packages/quic/src/testing/seeded-random.ts'
import { mutated } from './mutation.ts'

export interface Target {
  readonly name: string
  /** Good inputs. */
  readonly corpus: readonly Uint8Array[]
  /** Takes any bytes; `random` for whatever else it chooses, such as where to cut them. Throws what the parser throws, and on a broken promise. */
  run(input: Uint8Array, random: SeededRandom): void
  /** Whether this is what the parser may throw on bad input. */
  expected(error: unknown): boolean
}

export class FuzzFailure extends Error {
  override readonly name: string = 'FuzzFailure'
}

export interface FuzzOutcome {
  /** Inputs that were taken; the rest were refused as they should be. */
  readonly accepted: number
}

function seedOf(seed: number, run: number): number {
  return (Math.imul(seed, 0x9e37_79b1) ^ run) >>> 0
}

/** Throws FuzzFailure at the first input whose error is not expected, with what it takes to repeat it. */
export function fuzz(target: Target, runs: number, seed: number): FuzzOutcome {
  let accepted = 0
  for (let run = 0; run < runs; run++) {
    const random = new SeededRandom(seedOf(seed, run))
    const input = mutated(target.corpus, random)
    if (attempt(target, input, random, `${target.name}, seed ${seed}, run ${run}`)) accepted++
  }
  return { accepted }
}

/** One given input, hexadecimal. */
export function replay(target: Target, hex: string): boolean {
  return attempt(target, fromHex(hex), new SeededRandom(0), `${target.name}, given input`)
}

function attempt(target: Target, input: Uint8Array, random: SeededRandom, where: string): boolean {
  try {
    target.run(input, random)
    return true
  } catch (error) {
    if (target.expected(error)) return false
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
    throw new FuzzFailure(`${where}: ${what}\ninput ${toHex(input)}`, { cause: error })
  }
}

/** The input in pieces of random lengths. */
export function pieces(input: Uint8Array, random: SeededRandom): Uint8Array[] {
  const cut: Uint8Array[] = []
  for (let at = 0; at < input.length; ) {
    const end = Math.min(input.length, at + 1 + random.below(random.below(2) === 0 ? 4 : input.length))
    cut.push(input.slice(at, end))
    at = end
  }
  return cut
}

/** Throws when a parser breaks its promise. */
export function promised(condition: boolean, what: string): void {
  if (!condition) throw new Error(`broken promise: ${what}`)
}
