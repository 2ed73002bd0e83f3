/** Streams whose section waits for insertions (RFC 9204 §2.2.1), in the order in which they came; at most as many as were announced. */
export class BlockedStreams {
  private readonly streams: number[]
  private readonly counts: number[]

  constructor() {
    this.streams = []
    this.counts = []
  }

  get count(): number {
    return this.streams.length
  }

  has(streamId: number): boolean {
    return this.streams.includes(streamId)
  }

  add(streamId: number, requiredInsertCount: number): void {
    this.streams.push(streamId)
    this.counts.push(requiredInsertCount)
  }

  remove(streamId: number): void {
    const at = this.streams.indexOf(streamId)
    if (at >= 0) this.removeAt(at)
  }

  /** Takes out the first stream that waits no longer; -1 when there is none. */
  takeReady(insertCount: number): number {
    for (let at = 0; at < this.streams.length; at += 1) {
      if (this.counts[at]! > insertCount) continue
      const streamId = this.streams[at]!
      this.removeAt(at)
      return streamId
    }
    return -1
  }

  private removeAt(at: number): void {
    this.streams.splice(at, 1)
    this.counts.splice(at, 1)
  }
}
