// How many streams of one type may be opened, both ways (RFC 9000 §4.6).

import { LatestValue } from '../delivery/latest-value.ts'
import { MAX_STREAM_COUNT } from './stream-id.ts'

/** Streams the peer opens. Credit for closed ones is given back, so that about `concurrent` can always be open. */
export class IncomingLimit {
  opened: number
  closed: number
  /** MAX_STREAMS to be said. */
  readonly update: LatestValue
  private advertised: number
  private readonly concurrent: number

  constructor(concurrent: number) {
    this.opened = 0
    this.closed = 0
    this.update = new LatestValue()
    this.advertised = concurrent
    this.concurrent = concurrent
  }

  /** How many the peer may have opened altogether. */
  get limit(): number {
    return this.advertised
  }

  allows(index: number): boolean {
    return index < this.advertised
  }

  onOpened(): void {
    this.opened += 1
    this.replenish()
  }

  onClosed(): void {
    this.closed += 1
    this.replenish()
  }

  onWritten(): void {
    this.update.written()
    this.advertised = this.update.value
  }

  private replenish(): void {
    const limit = this.closed + this.concurrent
    // A frame per closed stream would be waste: wait until the peer has half of its streams left.
    if (limit <= this.advertised || limit > MAX_STREAM_COUNT) return
    if (this.update.wants() || this.advertised - this.opened <= this.concurrent / 2) this.update.set(limit)
  }
}

/** Streams we open. */
export class OutgoingLimit {
  opened: number
  limit: number
  /** STREAMS_BLOCKED to be said. */
  readonly blocked: LatestValue
  /** An open has failed since the limit last rose. */
  refused: boolean

  constructor() {
    this.opened = 0
    this.limit = 0
    this.blocked = new LatestValue()
    this.refused = false
  }

  left(): number {
    return this.limit - this.opened
  }

  /** The limit stands in the way. */
  refuse(): void {
    this.refused = true
    this.blocked.set(this.limit)
  }

  /** The limit is another one, even a lower one: early data was rejected. True when somebody waits for a stream and can have one now. */
  startOver(limit: number): boolean {
    this.limit = limit
    this.blocked.startOver()
    const awaited = this.refused && this.left() > 0
    if (awaited) this.refused = false
    else if (this.refused || this.left() < 0) this.blocked.set(limit)
    return awaited
  }

  /** True when it raised the limit and somebody waits for that. RFC 9000 §4.6: a limit that does not increase is ignored. */
  raise(limit: number): boolean {
    return limit > this.limit && this.startOver(limit)
  }
}
