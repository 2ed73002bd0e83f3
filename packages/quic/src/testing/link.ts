// One direction between two nodes: MTU, drop-tail queue in front of a serialising line, ECN marking, loss, corruption,
// duplication, delay, jitter and reordering, in this order. All chance comes from one seeded stream.

import type { LossModel, LossModelFactory } from './loss-model.ts'
import { randomLoss } from './loss-model.ts'
import type { SeededRandom } from './seeded-random.ts'

/** ECN codepoints of RFC 3168: 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE. */
export type EcnCodepoint = 0 | 1 | 2 | 3

export interface LinkConditions {
  /** One-way propagation delay in ms. Default 5. */
  readonly delay: number
  /** Added delay, uniform in [0, jitter) ms; may reorder. Default 0. */
  readonly jitter: number
  /** Bits per second of the line; Infinity is no line at all. Default Infinity. */
  readonly bandwidth: number
  /** Datagrams that wait for the line before it drops the tail. Default 100. */
  readonly queue: number
  /** Largest UDP payload that passes; larger ones vanish. Default 1500 − 28. */
  readonly mtu: number
  /** Bytes of UDP, IP and link headers that the line carries per datagram. Default 28. */
  readonly overhead: number
  /** A rate in [0, 1] or a loss model. Default 0. */
  readonly loss: number | LossModelFactory
  /** Rate of datagrams held back by `reorderDelay`. Default 0. */
  readonly reorder: number
  /** ms. Default 10. */
  readonly reorderDelay: number
  /** Rate of datagrams that arrive twice. Default 0. */
  readonly duplicate: number
  /** Rate of datagrams that arrive with one byte changed. Default 0. */
  readonly corrupt: number
  /** Only the first bytes are corrupted, as the interop simulator does. Default Infinity. */
  readonly corruptWithin: number
  /** Datagrams waiting from which ECT datagrams are marked CE. Default Infinity. */
  readonly ecnMarkAbove: number
  /** Rate of ECT datagrams marked CE whatever the queue. Default 0. */
  readonly ecnMark: number
  /** True clears the ECN field, as some routers do. Default false. */
  readonly ecnBleach: boolean
}

const DEFAULTS: LinkConditions = {
  delay: 5,
  jitter: 0,
  bandwidth: Infinity,
  queue: 100,
  mtu: 1472,
  overhead: 28,
  loss: 0,
  reorder: 0,
  reorderDelay: 10,
  duplicate: 0,
  corrupt: 0,
  corruptWithin: Infinity,
  ecnMarkAbove: Infinity,
  ecnMark: 0,
  ecnBleach: false,
}

export type DropReason = 'mtu' | 'queue' | 'loss'

/** What happens to a datagram: dropped for a reason, or 1–2 arrivals. Reused; valid until the next offer. */
export interface LinkVerdict {
  dropped: DropReason | null
  /** Arrival times in ms; the second is a duplicate. */
  readonly arrivals: number[]
  ecn: EcnCodepoint
  /** Position of the byte that changes, -1 for none, and what it is xored with. */
  corruptAt: number
  corruptMask: number
}

export interface LinkCounters {
  offered: number
  bytes: number
  droppedByMtu: number
  droppedByQueue: number
  droppedByLoss: number
  duplicated: number
  corrupted: number
  markedCe: number
  longestQueue: number
}

export class Link {
  readonly counters: LinkCounters
  private conditions: LinkConditions
  private loss: LossModel
  private readonly random: SeededRandom
  private lineFreeAt: number
  // When each waiting datagram starts on the line, ascending; entries before `waitingFrom` have left.
  private waiting: number[]
  private waitingFrom: number
  private readonly verdict: LinkVerdict

  constructor(conditions: Partial<LinkConditions>, random: SeededRandom) {
    this.conditions = { ...DEFAULTS, ...conditions }
    this.loss = lossModel(this.conditions.loss)
    this.random = random
    this.lineFreeAt = 0
    this.waiting = []
    this.waitingFrom = 0
    this.counters = { offered: 0, bytes: 0, droppedByMtu: 0, droppedByQueue: 0, droppedByLoss: 0, duplicated: 0, corrupted: 0, markedCe: 0, longestQueue: 0 }
    this.verdict = { dropped: null, arrivals: [], ecn: 0, corruptAt: -1, corruptMask: 0 }
  }

  /** Changes some conditions from now on; what is under way is not touched. */
  change(conditions: Partial<LinkConditions>): void {
    this.conditions = { ...this.conditions, ...conditions }
    if (conditions.loss !== undefined) this.loss = lossModel(conditions.loss)
  }

  /** Decides the fate of a datagram of `size` bytes sent at `now`. */
  offer(size: number, ecn: EcnCodepoint, now: number): LinkVerdict {
    const { conditions, counters, random, verdict } = this
    verdict.dropped = null
    verdict.arrivals.length = 0
    verdict.corruptAt = -1
    counters.offered++
    counters.bytes += size
    if (size > conditions.mtu) {
      counters.droppedByMtu++
      return this.drop('mtu')
    }
    const queued = this.queuedAt(now)
    if (queued >= conditions.queue && conditions.bandwidth !== Infinity) {
      counters.droppedByQueue++
      return this.drop('queue')
    }
    let leavesAt = now
    if (conditions.bandwidth !== Infinity) {
      const startsAt = Math.max(now, this.lineFreeAt)
      leavesAt = startsAt + ((size + conditions.overhead) * 8000) / conditions.bandwidth
      this.lineFreeAt = leavesAt
      if (startsAt > now) this.waiting.push(startsAt)
      counters.longestQueue = Math.max(counters.longestQueue, this.waiting.length - this.waitingFrom)
    }
    // The line is used by what gets lost behind it, as on a real path.
    if (this.loss(now, counters.offered, random)) {
      counters.droppedByLoss++
      return this.drop('loss')
    }
    verdict.ecn = this.mark(ecn, queued)
    if (size > 0 && random.chance(conditions.corrupt)) {
      counters.corrupted++
      verdict.corruptAt = random.below(Math.min(size, conditions.corruptWithin))
      verdict.corruptMask = 1 + random.below(255)
    }
    verdict.arrivals.push(this.arrival(leavesAt))
    if (random.chance(conditions.duplicate)) {
      counters.duplicated++
      verdict.arrivals.push(this.arrival(leavesAt))
    }
    return verdict
  }

  private drop(reason: DropReason): LinkVerdict {
    this.verdict.dropped = reason
    return this.verdict
  }

  private queuedAt(now: number): number {
    while (this.waitingFrom < this.waiting.length && this.waiting[this.waitingFrom]! <= now) this.waitingFrom++
    if (this.waitingFrom > 1024) {
      this.waiting = this.waiting.slice(this.waitingFrom)
      this.waitingFrom = 0
    }
    return this.waiting.length - this.waitingFrom
  }

  private mark(ecn: EcnCodepoint, queued: number): EcnCodepoint {
    if (this.conditions.ecnBleach) return 0
    if (ecn === 0 || ecn === 3) return ecn
    if (queued < this.conditions.ecnMarkAbove && !this.random.chance(this.conditions.ecnMark)) return ecn
    this.counters.markedCe++
    return 3
  }

  private arrival(leavesAt: number): number {
    const { delay, jitter, reorder, reorderDelay } = this.conditions
    const held = this.random.chance(reorder) ? reorderDelay : 0
    return leavesAt + delay + held + (jitter > 0 ? this.random.fraction() * jitter : 0)
  }
}

function lossModel(loss: number | LossModelFactory): LossModel {
  return typeof loss === 'number' ? randomLoss(loss)() : loss()
}
