// Credit we give the peer, for one stream or for the connection (RFC 9000 §4.1, §4.2). New credit is due when half of the window
// is consumed. The window doubles, up to a cap, when it was consumed faster than at one window per four round trips: then the
// window, not the path, is what limits the peer.

/** The time and round trip the windows of one connection are tuned by; both in milliseconds. */
export class FlowClock {
  now: number
  rtt: number

  constructor() {
    this.now = 0
    // RFC 9002 §6.2.2: the initial round trip, until there is a sample.
    this.rtt = 333
  }
}

export class FlowReceiver {
  /** Largest limit said to the peer. */
  advertised: number
  /** Highest offset received (stream), or the sum of those (connection). */
  received: number
  consumed: number
  window: number
  /** New credit is worth a frame. */
  due: boolean
  private readonly maxWindow: number
  private readonly clock: FlowClock
  private epochConsumed: number
  private epochStart: number

  constructor(window: number, maxWindow: number, clock: FlowClock) {
    this.advertised = window
    this.received = 0
    this.consumed = 0
    this.window = window
    this.due = false
    this.maxWindow = maxWindow < window ? window : maxWindow
    this.clock = clock
    this.epochConsumed = 0
    this.epochStart = -1
  }

  /** Bytes the peer may still send. */
  credit(): number {
    return this.advertised - this.received
  }

  receive(bytes: number): void {
    if (this.epochStart < 0) this.epochStart = this.clock.now
    this.received += bytes
  }

  /** Bytes left the buffer. */
  consume(bytes: number): void {
    this.consumed += bytes
    if (bytes > 0 && this.advertised - this.consumed <= this.window / 2) {
      this.tune()
      this.due = true
    }
  }

  /** The limit to say now. */
  nextLimit(): number {
    const limit = this.consumed + this.window
    return limit > this.advertised ? limit : this.advertised
  }

  written(limit: number): void {
    this.advertised = limit
    this.due = false
  }

  /** The frame that said `limit` is lost: due again if nothing larger has been said since. */
  lost(limit: number): void {
    if (limit === this.advertised) this.due = true
  }

  /** The window becomes at least this, as far as the cap lets it. */
  growTo(window: number): void {
    const target = window < this.maxWindow ? window : this.maxWindow
    if (target > this.window) this.window = target
  }

  private tune(): void {
    const consumed = this.consumed - this.epochConsumed
    if (consumed <= this.window / 2) return
    const elapsed = this.clock.now - this.epochStart
    if (elapsed * this.window < 4 * this.clock.rtt * consumed && this.window < this.maxWindow) {
      this.window = this.window * 2 < this.maxWindow ? this.window * 2 : this.maxWindow
    }
    this.epochConsumed = this.consumed
    this.epochStart = this.clock.now
  }
}
