/**
 * Path MTU discovery of one path: DPLPMTUD (RFC 8899) as RFC 9000 §14.3 asks for it. Decides which size to probe next, what a
 * probe's fate means, and when the size in use has stopped working; sends nothing itself. One probe is out at a time. Sizes
 * are bytes of UDP payload. Invariant: MIN_PLPMTU (1200) <= size <= ceiling, and nothing above `size` goes out but probes.
 */

/** RFC 9000 §14.3: BASE_PLPMTU and MIN_PLPMTU are QUIC's smallest allowed maximum datagram size. */
export const BASE_DATAGRAM = 1200
/** RFC 8899 §5.1.2: MAX_PROBES. */
const MAX_PROBES = 3
/** RFC 8899 §5.1.1: PMTU_RAISE_TIMER. */
const RAISE_INTERVAL = 600_000
/** Full-size packets lost in a row, over more than a PTO, while smaller ones arrive. */
const BLACK_HOLE_LOSSES = 6

/** What a path of Ethernet takes over IPv4; tried first, because nearly always it is the answer or on the way to it. */
export const ETHERNET_DATAGRAM = 1472
/**
 * Sizes that links are known to have. From IPv6's minimum to Ethernet in steps of 20, the distance of the IP versions and about
 * that of one tunnel header from the next; then jumbo frames, and the loopback devices of macOS and Linux. A size in
 * between would gain a few bytes per datagram and cost three lost probes per step.
 */
const LIKELY_SIZES: readonly number[] = [
  1232, 1252, 1272, 1292, 1312, 1332, 1352, 1372, 1392, 1412, 1432, 1452, 1472, 4052, 8952, 8972, 16_356, 32_740, 65_488, 65_507, 65_527,
]

export const MtuState = { off: 0, searching: 1, complete: 2 } as const
export type MtuState = (typeof MtuState)[keyof typeof MtuState]

export interface MtuConfig {
  /** Size before anything is known. */
  readonly initial: number
  /** Nothing larger is probed. */
  readonly ceiling: number
  readonly enabled: boolean
}

export class MtuDiscovery {
  state: MtuState
  /** The maximum datagram size in use. */
  size: number
  /** Packet number of the probe that is out, -1 without one. */
  probeNumber: number
  private probeSize: number
  private ceiling: number
  /** The smallest size known not to work, Infinity if none is. */
  private failedSize: number
  /** Lost probes of `attempted`, which is 0 between two sizes. */
  private attempted: number
  private losses: number
  /** The congestion window bears no size that is left until it bears this one. */
  private awaitedBudget: number
  /** Numbers below belong to a search that a black hole has ended. */
  private searchStart: number
  private raiseAt: number
  private newestAcked: number
  private newestLost: number
  private lostInRow: number
  private lostFrom: number
  private lostUntil: number

  constructor(config: MtuConfig) {
    this.state = config.enabled ? MtuState.searching : MtuState.off
    this.size = config.initial
    this.probeNumber = -1
    this.probeSize = 0
    this.ceiling = config.ceiling
    this.failedSize = Infinity
    this.attempted = 0
    this.losses = 0
    this.awaitedBudget = 0
    this.searchStart = -1
    this.raiseAt = Infinity
    this.newestAcked = -1
    this.newestLost = -1
    this.lostInRow = 0
    this.lostFrom = 0
    this.lostUntil = 0
  }

  /** RFC 9000 §18.2: the peer takes no larger datagrams (max_udp_payload_size). */
  limit(bytes: number): void {
    this.ceiling = Math.min(this.ceiling, bytes)
    this.size = Math.min(this.size, bytes)
  }

  /**
   * Bytes of the probe that should go out, 0 for none. Costs a comparison or two while nothing is due.
   * @param budget the largest probe that the congestion window can bear
   */
  nextProbe(budget: number, now: number): number {
    if (this.state === MtuState.off || this.probeNumber >= 0 || budget < this.awaitedBudget) return 0
    if (this.state === MtuState.complete) {
      // No timer runs for this: a connection that sends nothing is not woken up to raise its MTU.
      if (now < this.raiseAt) return 0
      this.failedSize = Infinity
      this.state = MtuState.searching
    }
    if (this.losses === 0) this.attempted = this.choose(budget)
    if (this.attempted === 0) {
      this.awaitedBudget = this.leastOpen()
      if (this.awaitedBudget === Infinity) this.complete(now)
    }
    return this.attempted <= budget ? this.attempted : 0
  }

  onProbeSent(packetNumber: number, size: number): void {
    this.probeNumber = packetNumber
    this.probeSize = size
    if (this.searchStart < 0) this.searchStart = packetNumber
  }

  /** The probe arrived, perhaps after it was given up. True when the datagram size has changed. */
  onProbeAcked(packetNumber: number, size: number, now: number): boolean {
    if (packetNumber === this.probeNumber) this.endProbe()
    if (this.searchStart < 0 || packetNumber < this.searchStart || size <= this.size || size > this.ceiling) return false
    this.size = size
    if (this.failedSize <= size) this.failedSize = Infinity
    if (this.attempted <= size) this.nextSize()
    if (this.state === MtuState.searching && this.leastOpen() === Infinity) this.complete(now)
    return true
  }

  onProbeLost(packetNumber: number, now: number): void {
    if (packetNumber !== this.probeNumber) return
    const size = this.probeSize
    this.endProbe()
    this.losses += 1
    if (this.losses >= MAX_PROBES) this.fail(size, now)
  }

  /**
   * The socket refuses datagrams of that many bytes (EMSGSIZE): no need to lose them three times. True when the size in use
   * was among them and the base size is used again.
   */
  onRefused(size: number, now: number): boolean {
    if (this.state === MtuState.off || size <= BASE_DATAGRAM || size >= this.failedSize) return false
    if (this.probeNumber >= 0 && this.probeSize >= size) this.endProbe()
    const shrinks = size <= this.size
    if (shrinks) this.fallBack()
    this.fail(size, now)
    return shrinks
  }

  /** A packet that is no probe was acknowledged. Call it for packets larger than BASE_DATAGRAM. */
  onFullSizeAcked(packetNumber: number): void {
    if (packetNumber > this.newestAcked) this.newestAcked = packetNumber
    this.lostInRow = 0
  }

  /** A packet that is no probe was lost; ascending by number within one loss detection. */
  onPacketLost(packetNumber: number, size: number, sentAt: number): void {
    // Sent before one of full size that arrived: chance, not size.
    if (packetNumber < this.newestAcked) return
    if (size <= BASE_DATAGRAM) {
      // A path that loses small packets too is not one that is too narrow for large ones.
      if (packetNumber > this.newestLost) this.lostInRow = 0
      return
    }
    if (this.lostInRow === 0) this.lostFrom = sentAt
    this.lostInRow += 1
    this.lostUntil = sentAt
    this.newestLost = packetNumber
  }

  /**
   * RFC 8899 §4.3: black hole detection. Falls back to the base size and searches again when packets of full size have been
   * lost in a row for more than a PTO and none of them has arrived. True when the datagram size has changed.
   */
  checkBlackHole(pto: number): boolean {
    if (this.lostInRow < BLACK_HOLE_LOSSES || this.lostUntil - this.lostFrom < pto) return false
    this.lostInRow = 0
    if (this.state === MtuState.off || this.size <= BASE_DATAGRAM) return false
    this.fallBack()
    return true
  }

  private fallBack(): void {
    this.size = BASE_DATAGRAM
    this.state = MtuState.searching
    this.searchStart = -1
    this.lostInRow = 0
    this.nextSize()
    this.endProbe()
  }

  private endProbe(): void {
    this.probeNumber = -1
  }

  private nextSize(): void {
    this.attempted = 0
    this.losses = 0
    this.awaitedBudget = 0
  }

  private fail(size: number, now: number): void {
    this.failedSize = size
    this.nextSize()
    if (this.leastOpen() === Infinity) this.complete(now)
  }

  private complete(now: number): void {
    this.state = MtuState.complete
    this.raiseAt = now + RAISE_INTERVAL
    this.nextSize()
  }

  /**
   * Ethernet's size first. While nothing has failed, the largest that the window bears, the ceiling at best; between a success
   * and a failure, the middle. 0: the window bears none.
   */
  private choose(budget: number): number {
    const ceiling = this.ceiling
    const least = Math.min(ETHERNET_DATAGRAM, ceiling)
    if (this.isOpen(least)) return least
    if (ceiling <= budget && this.isOpen(ceiling)) return ceiling
    let first = -1
    let last = -1
    for (let i = 0; i < LIKELY_SIZES.length; i += 1) {
      if (LIKELY_SIZES[i]! > budget || !this.isOpen(LIKELY_SIZES[i]!)) continue
      if (first < 0) first = i
      last = i
    }
    if (first < 0) return 0
    return LIKELY_SIZES[this.failedSize === Infinity ? last : (first + last + 1) >> 1]!
  }

  /** The smallest size still to be tried, Infinity when the search is over. */
  private leastOpen(): number {
    for (let i = 0; i < LIKELY_SIZES.length; i += 1) if (this.isOpen(LIKELY_SIZES[i]!)) return LIKELY_SIZES[i]!
    return this.isOpen(this.ceiling) ? this.ceiling : Infinity
  }

  /** Neither known to work nor known to fail. */
  private isOpen(size: number): boolean {
    return size > this.size && size < this.failedSize && size <= this.ceiling
  }
}
