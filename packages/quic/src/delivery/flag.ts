// Something said while it holds: repeated when lost, forgotten when withdrawn, and it can be raised again after it was
// acknowledged. STOP_SENDING is one: pointless once the stream has ended (RFC 9000 §3.5).

const LOWERED = 0
const PENDING = 1
const IN_FLIGHT = 2
const SAID = 3

export class Flag {
  private state: number

  constructor() {
    this.state = LOWERED
  }

  /** Asks for it to be said. No effect while it is pending or in flight. */
  raise(): void {
    if (this.state === LOWERED || this.state === SAID) this.state = PENDING
  }

  /** It no longer holds: neither sent nor repeated. */
  withdraw(): void {
    this.state = LOWERED
  }

  wants(): boolean {
    return this.state === PENDING
  }

  written(): void {
    if (this.state === PENDING) this.state = IN_FLIGHT
  }

  acked(): void {
    if (this.state === IN_FLIGHT || this.state === PENDING) this.state = SAID
  }

  lost(): void {
    if (this.state === IN_FLIGHT) this.state = PENDING
  }
}
