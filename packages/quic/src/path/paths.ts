// The paths of a connection: the active one, the one to fall back to while it is not validated, and a few that were only
// probed (RFC 9000 §9). What a move and a failed validation do to them; which packet moves a connection is not decided here.

import type { SentPacket } from '../recovery/sent-packet.ts'
import { RttEstimator } from '../recovery/rtt.ts'
import { Path } from './path.ts'
import type { PathConfig } from './path.ts'
import { sameRemote, sameRemoteHost } from './path-address.ts'
import type { PathAddress } from './path-address.ts'
import { PathValidationState } from './path-validation.ts'

/** Probed paths remembered at once; more are ignored until one is settled. */
const MAX_PROBED = 3

export class Paths {
  active: Path
  /** The last validated path, kept until the active one is validated too (RFC 9000 §9.3.2). */
  previous: Path | null
  private readonly probed: Path[]
  private readonly config: PathConfig
  private nextGeneration: number

  constructor(address: PathAddress, validated: boolean, config: PathConfig) {
    this.config = config
    this.active = new Path(0, address, validated, config, null)
    this.previous = null
    this.probed = []
    this.nextGeneration = 1
  }

  find(address: PathAddress): Path | null {
    if (sameRemote(this.active.address, address)) return this.active
    if (this.previous !== null && sameRemote(this.previous.address, address)) return this.previous
    for (const path of this.probed) if (sameRemote(path.address, address)) return path
    return null
  }

  /** The path a sent packet is charged to, or null when that path is gone. */
  ofPacket(packet: SentPacket): Path | null {
    if (packet.generation === this.active.generation) return this.active
    if (this.previous !== null && packet.generation === this.previous.generation) return this.previous
    for (const path of this.probed) if (path.generation === packet.generation) return path
    return null
  }

  /** A path for an address from which an authenticated packet came; null when too many are being probed. */
  open(address: PathAddress): Path | null {
    if (this.probed.length === MAX_PROBED) {
      const settled = this.probed.findIndex((path) => path.responses.length === 0)
      if (settled < 0) return null
      this.probed.splice(settled, 1)
    }
    const inherited = sameRemoteHost(address, this.active.address) ? this.active : null
    const path = new Path(this.nextGeneration, address, false, this.config, inherited)
    path.limitDatagramSize(this.active.peerLimit)
    this.nextGeneration += 1
    this.probed.push(path)
    return path
  }

  /** RFC 9000 §9.3: the peer moved. The path is validated unless it was before; the old one is kept for rollback. `pto`: milliseconds. */
  migrate(path: Path, now: number, pto: number): void {
    if (path === this.active) return
    const index = this.probed.indexOf(path)
    if (index >= 0) this.probed.splice(index, 1)
    if (this.active.validation.state === PathValidationState.valid) this.previous = this.active
    else if (path === this.previous) this.previous = null
    this.active = path
    if (path.validation.state === PathValidationState.valid) return
    // RFC 9000 §8.2.4: "three times the larger of the current PTO or the PTO for the new path (using kInitialRtt)".
    const unmeasured = new RttEstimator(this.config.initialRtt).pto(0)
    path.validation.start(now, pto, 3 * Math.max(pto, unmeasured))
  }

  /** RFC 9000 §8.2.3: a response validates the path its challenge was sent on. */
  onPathResponse(data: Uint8Array): Path | null {
    if (this.active.validation.onResponse(data)) {
      this.active.validate()
      this.previous = null
      return this.active
    }
    return null
  }

  /** Returns true when the active path failed and the connection fell back to the previous one. */
  onTimeout(now: number): boolean {
    if (!this.active.validation.onTimeout(now)) return false
    if (this.previous === null) return false
    this.active = this.previous
    this.previous = null
    return true
  }

  nextTimeout(): number {
    const validation = this.active.validation
    return Math.min(validation.deadline, validation.retryAt)
  }

  /** A path other than the active one that owes PATH_RESPONSE frames, or null. */
  responder(): Path | null {
    if (this.previous !== null && this.previous.responses.length > 0) return this.previous
    for (const path of this.probed) if (path.responses.length > 0) return path
    return null
  }
}
