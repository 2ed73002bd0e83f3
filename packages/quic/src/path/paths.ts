// The paths of a connection: the active one, the one to fall back to while it is not validated, and a few others that are probed
// or were left (RFC 9000 §9). Which connection ID each sends to, what a move and a failed validation do to them; which packet or
// call moves a connection is not decided here.

import type { PathConnectionId } from '../cid/remote-connection-ids.ts'
import type { SentPacket } from '../recovery/sent-packet.ts'
import { RttEstimator } from '../recovery/rtt.ts'
import { Path, PathPurpose } from './path.ts'
import type { PathConfig } from './path.ts'
import { sameHosts, samePath } from './path-address.ts'
import type { PathAddress } from './path-address.ts'
import { PathResponse, PathValidationState } from './path-validation.ts'

/** Paths beside the active one and the one to fall back to; more are ignored until one is settled. */
const MAX_OTHERS = 3

/** Milliseconds that a path is kept for which nobody has any plans: the peer may yet come back to it or move there. */
const UNUSED_LIFETIME = 30_000

/** RFC 9000 §8.2.4: "A value of three times the larger of the current PTO or the PTO for the new path […] is RECOMMENDED." */
const PATIENCE_PTOS = 3

/** Where paths get what they send to, and give it back (RFC 9000 §9.5). RemoteConnectionIds is one. */
export interface PathConnectionIds {
  main(): PathConnectionId
  assign(): PathConnectionId
  share(shared: PathConnectionId): PathConnectionId
  release(released: PathConnectionId): void
  prefer(preferred: PathConnectionId): void
}

export class Paths {
  active: Path
  /** The last validated path, kept until the active one is validated too (RFC 9000 §9.3.2). */
  previous: Path | null
  /** Where the peer has moved, when we cannot follow yet. */
  wanted: Path | null
  private readonly list: Path[]
  private readonly config: PathConfig
  private readonly ids: PathConnectionIds
  private nextGeneration: number

  constructor(address: PathAddress, validated: boolean, config: PathConfig, ids: PathConnectionIds) {
    this.config = config
    this.ids = ids
    this.active = new Path(0, address, ids.main(), validated, config, null)
    this.previous = null
    this.wanted = null
    this.list = [this.active]
    this.nextGeneration = 1
  }

  /** All of them, in the order in which they were opened. */
  all(): readonly Path[] {
    return this.list
  }

  find(address: PathAddress): Path | null {
    if (samePath(this.active.address, address)) return this.active
    for (const path of this.list) if (samePath(path.address, address)) return path
    return null
  }

  /** The path a sent packet is charged to, or null when that path is gone. */
  ofPacket(packet: SentPacket): Path | null {
    if (packet.generation === this.active.generation) return this.active
    if (this.previous !== null && packet.generation === this.previous.generation) return this.previous
    for (const path of this.list) if (path.generation === packet.generation) return path
    return null
  }

  /** The path on which the peer sends to that connection ID of ours; null: on none so far. */
  receivingOn(connectionId: Uint8Array): Path | null {
    for (const path of this.list) {
      const known = path.peerDestination
      if (known.length === connectionId.length && known.every((byte, i) => byte === connectionId[i])) return path
    }
    return null
  }

  /**
   * A path for an address that is not known yet; null when too many are open.
   * @param origin the path whose peer seems to send from another address now, null when it does so on purpose. RFC 9000 §9.5: a
   * rebinding may keep the connection ID "while still sending from the same local address"
   */
  open(address: PathAddress, origin: Path | null, now: number): Path | null {
    if (!this.makeRoom()) return null
    const keeps = origin !== null && origin.address.local === address.local
    const destination = keeps ? this.ids.share(origin.destination) : this.ids.assign()
    const inherited = sameHosts(address, this.active.address) ? this.active : null
    const path = new Path(this.nextGeneration, address, destination, false, this.config, inherited)
    path.limitDatagramSize(this.active.peerLimit)
    path.expiresAt = now + UNUSED_LIFETIME
    this.nextGeneration += 1
    this.list.push(path)
    return path
  }

  /** Forgets a path that is not the active one. What it sent to is retired, unless another path sends there. */
  close(path: Path): void {
    const index = this.list.indexOf(path)
    if (index < 0 || path === this.active) return
    this.list.splice(index, 1)
    if (path === this.previous) this.previous = null
    if (path === this.wanted) this.wanted = null
    this.ids.release(path.destination)
  }

  /** RFC 9000 §8.2.1. `pto`: that of the path, ms. */
  validate(path: Path, now: number, pto: number): void {
    const unmeasured = new RttEstimator(this.config.initialRtt).pto(0)
    path.validation.start(now, pto, PATIENCE_PTOS * Math.max(pto, unmeasured, this.active.rtt.pto(0)))
  }

  /** Data may go there: there is a connection ID for it, and a change of our own address (§9.6.2) waits for validation. */
  isReady(path: Path): boolean {
    return path.hasDestination() && (path.validation.proven || path.address.local === this.active.address.local)
  }

  /** RFC 9000 §9.2, §9.3: data goes there from now on. An old path that was validated is kept for rollback. `pto`: that of the path, ms. */
  moveTo(path: Path, now: number, pto: number): void {
    const former = this.active
    if (path === former) return
    this.wanted = null
    if (path === this.previous) this.previous = null
    this.active = path
    path.purpose = PathPurpose.none
    path.expiresAt = Infinity
    this.ids.prefer(path.destination)
    if (former.validation.proven) {
      this.previous = former
    } else {
      // RFC 9000 §9.3: "an endpoint can abandon any path validation for other addresses".
      former.validation.abandon()
      this.leave(former, now, pto)
    }
    const { proven, state } = path.validation
    if (proven) this.settle(now, pto)
    if (state === PathValidationState.failed || (!proven && state !== PathValidationState.validating)) this.validate(path, now, pto)
  }

  /** RFC 9000 §8.2.3: a response validates the path its challenge was sent on, which is returned; null: it validates none. */
  onPathResponse(data: Uint8Array, now: number): Path | null {
    for (const path of this.list) {
      const proved = path.validation.onResponse(data, now)
      if (proved === PathResponse.unknown) continue
      path.amplification.validate()
      if (proved === PathResponse.address) return null
      path.adoptRoundTrip()
      return path
    }
    return null
  }

  /** The active path is validated: the other is not needed for rollback, but packets may still come from it. */
  settle(now: number, pto: number): void {
    if (this.previous === null) return
    this.leave(this.previous, now, pto)
    this.previous = null
  }

  /** RFC 9000 §9.3.2: "revert to using the last validated peer address". False when there is none. */
  fallBack(now: number): boolean {
    const { active, previous } = this
    if (previous === null) return false
    this.active = previous
    this.previous = null
    previous.expiresAt = Infinity
    this.ids.prefer(previous.destination)
    this.close(active)
    if (previous.validation.state === PathValidationState.failed) this.validate(previous, now, previous.rtt.pto(0))
    return true
  }

  /** Paths whose validation has just failed. */
  onTimeout(now: number): Path[] {
    return this.list.filter((path) => path.validation.onTimeout(now))
  }

  /** Forgets what has been left for long enough. */
  closeExpired(now: number): void {
    for (let i = this.list.length - 1; i >= 0; i -= 1) {
      const path = this.list[i]!
      if (path.expiresAt <= now && path !== this.previous) this.close(path)
    }
  }

  nextTimeout(): number {
    let deadline = Infinity
    for (let i = 0; i < this.list.length; i += 1) {
      const { validation, expiresAt } = this.list[i]!
      deadline = Math.min(deadline, validation.deadline, validation.retryAt, expiresAt)
    }
    return deadline
  }

  /** A path other than the active one that has path frames to send and may, or null. */
  probing(): Path | null {
    if (this.list.length === 1) return null
    for (const path of this.list) if (path !== this.active && path.canProbe()) return path
    return null
  }

  /** Nobody has plans for the path any more. */
  keepUnused(path: Path, now: number): void {
    path.purpose = PathPurpose.none
    path.expiresAt = now + UNUSED_LIFETIME
  }

  private leave(path: Path, now: number, pto: number): void {
    path.purpose = PathPurpose.none
    path.expiresAt = now + PATIENCE_PTOS * Math.max(pto, path.rtt.pto(0))
  }

  private makeRoom(): boolean {
    const others = this.list.filter((path) => path !== this.active && path !== this.previous)
    if (others.length < MAX_OTHERS) return true
    const settled = others.find((path) => path.responses.length === 0 && path.purpose === PathPurpose.none && path !== this.wanted)
    if (settled !== undefined) this.close(settled)
    return settled !== undefined
  }
}
