// Ends what has been silent for too long. Activity only notes the time: one timer, armed once per period.

export class IdleTimer {
  private readonly timeout: number
  private readonly onIdle: () => void
  private last: number
  private timer: NodeJS.Timeout | null

  /** `timeout` in milliseconds; Infinity: never. */
  constructor(timeout: number, onIdle: () => void) {
    this.timeout = timeout
    this.onIdle = onIdle
    this.last = performance.now()
    this.timer = null
    this.arm(timeout)
  }

  touch(): void {
    this.last = performance.now()
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }

  private arm(delay: number): void {
    if (this.timeout === Infinity) return
    this.timer = setTimeout(() => this.check(), Math.min(delay, LONGEST_DELAY))
    this.timer.unref()
  }

  private check(): void {
    this.timer = null
    const left = this.last + this.timeout - performance.now()
    if (left > 0) this.arm(Math.ceil(left))
    else this.onIdle()
  }
}

/** Of setTimeout. */
const LONGEST_DELAY = 2 ** 31 - 1
