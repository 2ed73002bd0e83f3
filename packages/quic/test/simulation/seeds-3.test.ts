import { describe, it } from 'vitest'
import { expectComplete, runSeeds } from './setup.ts'

describe('simulated networks', () => {
  it.each([0, 50, 100, 150, 200])('seeds 3000 + %i on: all bytes equal, no error, nothing left behind', (offset) => {
    expectComplete(runSeeds(3000 + offset, 50))
  })
})
