// Runs when a deadline has come, more exactly than setTimeout's milliseconds, and costs nothing while the deadline is far.

/** Packets may be this early (ms); the time to pass one on is of that order. */
export const EARLY = 0.25
/** setTimeout(n) comes about this much later than n. */
const LATE = 0.1

export class DeadlineTimer {
  private readonly run: () => void
  private deadline: number | null
  private timeout: NodeJS.Timeout | null
  private immediate: NodeJS.Immediate | null

  constructor(run: () => void) {
    this.run = run
    this.deadline = null
    this.timeout = null
    this.immediate = null
  }

  /** At `deadline` of performance.now(); null: not. Forgets what was set before. */
  set(deadline: number | null): void {
    if (deadline === this.deadline) return
    this.clear()
    this.deadline = deadline
    this.wait()
  }

  private clear(): void {
    if (this.timeout !== null) clearTimeout(this.timeout)
    if (this.immediate !== null) clearImmediate(this.immediate)
    this.timeout = null
    this.immediate = null
  }

  private wait(): void {
    if (this.deadline === null) return
    const left = this.deadline - performance.now()
    if (left >= 1 + LATE) this.timeout = setTimeout(() => this.wake(), Math.floor(left - LATE))
    else this.immediate = setImmediate(() => this.wake())
  }

  private wake(): void {
    this.timeout = null
    this.immediate = null
    if (this.deadline === null) return
    if (this.deadline - performance.now() > EARLY) return this.wait()
    this.deadline = null
    this.run()
  }
}
