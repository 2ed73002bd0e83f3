// Every parser of peer input against a few thousand changed copies of good input. The seed is another one every time;
// QUICWIRE_FUZZ_SEED repeats a run.

import { describe, expect, it } from 'vitest'
import { FuzzFailure, fuzz, replay, type Target } from '../../fuzz/target.ts'
import { targets } from '../../fuzz/targets.ts'

const seed = Number(process.env['QUICWIRE_FUZZ_SEED'] ?? Math.floor(Math.random() * 0x1_0000_0000))

/** A connection of HTTP/3 takes longer than one message. */
const runsOf = ({ name }: Target): number => (name.startsWith('h3-') ? 500 : 3000)

describe(`fuzzing, seed ${seed}`, () => {
  for (const target of targets) {
    it(`${target.name}: good input is taken, bad input raises only what is promised`, () => {
      const runs = runsOf(target)
      const { accepted } = fuzz(target, runs, seed)
      // A tenth of the inputs is not changed at all.
      expect(accepted, `seed ${seed}`).toBeGreaterThan(runs / 50)
    })
  }

  it('finds what is wrong, and says how to repeat it', () => {
    const broken: Target = {
      name: 'broken',
      corpus: [Uint8Array.of(1, 2, 3, 4)],
      expected: () => false,
      run: (input) => {
        if (input.length > 5) throw new TypeError('out of bounds')
      },
    }
    const once = (): string => {
      try {
        fuzz(broken, 1000, 7)
        return 'nothing'
      } catch (error) {
        expect(error).toBeInstanceOf(FuzzFailure)
        return (error as FuzzFailure).message
      }
    }
    const message = once()
    const input = /input ([0-9a-f]+)$/.exec(message)![1]!
    expect(once()).toMatch(new RegExp(`input ${input}$`))
    expect(message).toContain('broken, seed 7, run ')
    expect(() => replay(broken, input)).toThrow(FuzzFailure)
  })
})
