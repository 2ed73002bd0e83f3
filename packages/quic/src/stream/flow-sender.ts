// Credit the peer gave us, for one stream or for the connection (RFC 9000 §4.1). Limits only rise.

export class FlowSender {
  limit: number
  used: number
  /** The limit for which a blocked frame was last asked, -1 none: one frame per limit. */
  private blockedAt: number

  constructor(limit: number) {
    this.limit = limit
    this.used = 0
    this.blockedAt = -1
  }

  credit(): number {
    return this.limit - this.used
  }

  spend(bytes: number): void {
    this.used += bytes
  }

  /** True when it raised the limit. RFC 9000 §4.1: a limit that does not increase is ignored. */
  raise(limit: number): boolean {
    if (limit <= this.limit) return false
    this.limit = limit
    return true
  }

  /** Nothing is used, and the limit is another one, even a lower one: early data was rejected. */
  startOver(limit: number): void {
    this.limit = limit
    this.used = 0
    this.blockedAt = -1
  }

  /** True the first time it is asked at a limit that is used up. */
  becameBlocked(): boolean {
    if (this.used < this.limit || this.blockedAt === this.limit) return false
    this.blockedAt = this.limit
    return true
  }
}
