// Which datagrams of a link disappear. Each model is made once per link and asked once per datagram, in order.

import type { SeededRandom } from './seeded-random.ts'

/** Decides on one datagram; `index` counts the datagrams offered to the link from 1. */
export type LossModel = (now: number, index: number, random: SeededRandom) => boolean

/** Makes the state of a model; a link calls it once. */
export type LossModelFactory = () => LossModel

/** Each datagram is lost with probability `rate`, at most `longestRun` in a row (the interop simulator's `burst`). */
export function randomLoss(rate: number, longestRun: number = Infinity): LossModelFactory {
  return () => {
    let run = 0
    return (_now, _index, random) => {
      const lost = random.chance(rate) && run < longestRun
      run = lost ? run + 1 : 0
      return lost
    }
  }
}

/**
 * Gilbert–Elliott: a good state without loss and a bad state with loss `lossInBad`; mean burst length is
 * 1 / `leaveBad` datagrams.
 */
export function burstLoss(enterBad: number, leaveBad: number, lossInBad: number = 1): LossModelFactory {
  return () => {
    let bad = false
    return (_now, _index, random) => {
      bad = bad ? !random.chance(leaveBad) : random.chance(enterBad)
      return bad && random.chance(lossInBad)
    }
  }
}

/** Loses exactly the datagrams with these numbers, counted from 1. */
export function dropList(...numbers: readonly number[]): LossModelFactory {
  return () => (_now, index) => numbers.includes(index)
}

/** Loses everything offered in [from, to) of virtual time. */
export function blackhole(from: number, to: number = Infinity): LossModelFactory {
  return () => (now) => now >= from && now < to
}

/** Lost when any of the models says so; every model is asked each time. */
export function anyOf(...factories: readonly LossModelFactory[]): LossModelFactory {
  return () => {
    const models = factories.map((factory) => factory())
    return (now, index, random) => {
      let lost = false
      for (const model of models) if (model(now, index, random)) lost = true
      return lost
    }
  }
}
