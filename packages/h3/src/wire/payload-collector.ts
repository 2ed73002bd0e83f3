/**
 * The payload of a frame that is only understood as a whole (HEADERS, SETTINGS, …). One that arrives in one piece is not copied; the
 * memory of one that does not grows with what has arrived, not with what its length promises.
 */
export class PayloadCollector {
  /** Where the complete payload is, after `add` returned true. Valid until the next `add`. */
  bytes: Uint8Array
  start: number
  end: number
  private buffer: Uint8Array | null
  private have: number

  constructor() {
    this.bytes = NONE
    this.start = 0
    this.end = 0
    this.buffer = null
    this.have = 0
  }

  /** Adds bytes[start, end); `missing` is how many the payload lacked before. True when it is complete. */
  add(bytes: Uint8Array, start: number, end: number, missing: number): boolean {
    const complete = end - start === missing
    if (complete && this.have === 0) {
      this.bytes = bytes
      this.start = start
      this.end = end
      return true
    }
    const total = this.have + (end - start)
    if (this.buffer === null || this.buffer.length < total) {
      const grown = new Uint8Array(Math.min(this.have + missing, Math.max(total, (this.buffer?.length ?? 512) * 2)))
      if (this.buffer !== null) grown.set(this.buffer.subarray(0, this.have))
      this.buffer = grown
    }
    this.buffer.set(bytes.subarray(start, end), this.have)
    this.have = total
    if (!complete) return false
    this.bytes = this.buffer
    this.start = 0
    this.end = total
    this.buffer = null
    this.have = 0
    return true
  }
}

const NONE = new Uint8Array(0)
