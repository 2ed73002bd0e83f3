// Virtual time of a simulation: milliseconds that pass only when the network says so.

import { invariant } from '../base/assert.ts'

export class Clock {
  private time: number

  constructor(start: number = 0) {
    this.time = start
  }

  get now(): number {
    return this.time
  }

  /** Moves forward; never back. */
  advanceTo(time: number): void {
    invariant(time >= this.time, `virtual time ran backwards: ${this.time} to ${time}`)
    this.time = time
  }
}
