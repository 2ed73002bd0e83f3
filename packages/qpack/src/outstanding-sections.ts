/**
 * Sections with dynamic references that the peer's decoder has neither acknowledged nor cancelled (RFC 9204 §2.1): what they pin in
 * the table, and which streams they may block. Records are in the order of sending; all memory is bounded by MAX_OUTSTANDING_SECTIONS.
 */

/** Beyond this many the encoder makes no further references until some are acknowledged. */
export const MAX_OUTSTANDING_SECTIONS = 1024

export class OutstandingSections {
  count: number
  /** Streams that may be blocked now: those with a section that needs more than is known to be received (§2.1.2). */
  atRisk: number
  private streams: Float64Array
  private counts: Float64Array
  private lowest: Float64Array
  private riskStreams: Float64Array
  private riskCounts: Float64Array
  private floor: number
  private floorKnown: boolean

  constructor() {
    this.count = 0
    this.atRisk = 0
    this.streams = new Float64Array(16)
    this.counts = new Float64Array(16)
    this.lowest = new Float64Array(16)
    this.riskStreams = new Float64Array(16)
    this.riskCounts = new Float64Array(16)
    this.floor = Infinity
    this.floorKnown = true
  }

  get full(): boolean {
    return this.count === MAX_OUTSTANDING_SECTIONS
  }

  /** A section has been sent; `lowest` is the lowest absolute index it refers to. */
  add(streamId: number, requiredInsertCount: number, lowest: number, knownReceivedCount: number): void {
    if (this.count === this.streams.length) this.grow()
    const at = this.count
    this.streams[at] = streamId
    this.counts[at] = requiredInsertCount
    this.lowest[at] = lowest
    this.count = at + 1
    if (lowest < this.floor) this.floor = lowest
    if (requiredInsertCount > knownReceivedCount) this.risk(streamId, requiredInsertCount)
  }

  /** §4.4.1: the Required Insert Count of the earliest section of the stream, which is forgotten; -1 when there is none. */
  acknowledge(streamId: number): number {
    for (let at = 0; at < this.count; at += 1) {
      if (this.streams[at] !== streamId) continue
      const requiredInsertCount = this.counts[at]!
      this.remove(at)
      return requiredInsertCount
    }
    return -1
  }

  /** §4.4.2: all sections of the stream are forgotten. */
  cancel(streamId: number): void {
    for (let at = this.count - 1; at >= 0; at -= 1) if (this.streams[at] === streamId) this.remove(at)
    for (let at = 0; at < this.atRisk; at += 1) {
      if (this.riskStreams[at] === streamId) return this.dropRisk(at)
    }
  }

  /** What is known to be received has grown: streams that need no more are out of danger. */
  received(knownReceivedCount: number): void {
    for (let at = this.atRisk - 1; at >= 0; at -= 1) if (this.riskCounts[at]! <= knownReceivedCount) this.dropRisk(at)
  }

  /** Whether the stream may be blocked already; another section on it takes nothing from the budget. */
  isAtRisk(streamId: number): boolean {
    for (let at = 0; at < this.atRisk; at += 1) if (this.riskStreams[at] === streamId) return true
    return false
  }

  /** The lowest absolute index referred to, Infinity without sections. Everything below may be evicted as far as sections are concerned. */
  lowestReference(): number {
    if (!this.floorKnown) {
      let floor = Infinity
      for (let at = 0; at < this.count; at += 1) if (this.lowest[at]! < floor) floor = this.lowest[at]!
      this.floor = floor
      this.floorKnown = true
    }
    return this.floor
  }

  private remove(at: number): void {
    const next = at + 1
    if (this.lowest[at]! <= this.floor) this.floorKnown = false
    if (next < this.count) {
      this.streams.copyWithin(at, next, this.count)
      this.counts.copyWithin(at, next, this.count)
      this.lowest.copyWithin(at, next, this.count)
    }
    this.count -= 1
  }

  private risk(streamId: number, requiredInsertCount: number): void {
    for (let at = 0; at < this.atRisk; at += 1) {
      if (this.riskStreams[at] !== streamId) continue
      if (requiredInsertCount > this.riskCounts[at]!) this.riskCounts[at] = requiredInsertCount
      return
    }
    if (this.atRisk === this.riskStreams.length) {
      this.riskStreams = doubled(this.riskStreams)
      this.riskCounts = doubled(this.riskCounts)
    }
    this.riskStreams[this.atRisk] = streamId
    this.riskCounts[this.atRisk] = requiredInsertCount
    this.atRisk += 1
  }

  private dropRisk(at: number): void {
    this.atRisk -= 1
    this.riskStreams[at] = this.riskStreams[this.atRisk]!
    this.riskCounts[at] = this.riskCounts[this.atRisk]!
  }

  private grow(): void {
    this.streams = doubled(this.streams)
    this.counts = doubled(this.counts)
    this.lowest = doubled(this.lowest)
  }
}

function doubled(array: Float64Array): Float64Array {
  const larger = new Float64Array(array.length * 2)
  larger.set(array)
  return larger
}
