// Something said exactly once, and repeated until it is acknowledged: HANDSHAKE_DONE, RESET_STREAM (RFC 9000 §13.3).

const IDLE = 0
const PENDING = 1
const IN_FLIGHT = 2
const DONE = 3

export class Once {
  private state: number

  constructor() {
    this.state = IDLE
  }

  /** Asks for it to be said. Asking again has no effect. */
  request(): void {
    if (this.state === IDLE) this.state = PENDING
  }

  wants(): boolean {
    return this.state === PENDING
  }

  written(): void {
    if (this.state === PENDING) this.state = IN_FLIGHT
  }

  acked(): void {
    if (this.state !== IDLE) this.state = DONE
  }

  lost(): void {
    if (this.state === IN_FLIGHT) this.state = PENDING
  }

  get requested(): boolean {
    return this.state !== IDLE
  }

  get done(): boolean {
    return this.state === DONE
  }
}
