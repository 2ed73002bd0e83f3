// How fast a path delivers and how long it is at work, for statistics: bytes acknowledged per millisecond, one sample per round trip. A congestion controller
// that needs a rate has its own, better one.

export class DeliveryMeter {
  /** Bytes per ms over the last round trip that had acknowledgements; 0 before there was one. */
  rate: number
  /** The largest rate so far. */
  maximum: number
  /** Milliseconds during which packets were in flight, up to the last time there were none. */
  busy: number
  private busySince: number
  private bytes: number
  private since: number

  constructor() {
    this.rate = 0
    this.maximum = 0
    this.busy = 0
    this.busySince = -1
    this.bytes = 0
    this.since = -1
  }

  /** So many bytes are in flight now. */
  noteInFlight(bytes: number, now: number): void {
    if (bytes > 0) {
      if (this.busySince < 0) this.busySince = now
    } else if (this.busySince >= 0) {
      this.busy += now - this.busySince
      this.busySince = -1
    }
  }

  /** `bytes` of one ACK frame's packets; `rtt` in ms. */
  onAcked(bytes: number, rtt: number, now: number): void {
    if (this.since < 0) {
      this.since = now
      return
    }
    this.bytes += bytes
    const elapsed = now - this.since
    if (elapsed < rtt || elapsed <= 0) return
    this.rate = this.bytes / elapsed
    if (this.rate > this.maximum) this.maximum = this.rate
    this.bytes = 0
    this.since = now
  }
}
