// ECN counts of an ACK frame (RFC 9000 §13.4.2.1, RFC 9002 §7.1): validated against what was marked, then a rise of the CE
// count is a sign of congestion.

import type { Path } from '../../path/path.ts'
import { Ecn, EcnState } from '../../recovery/ecn.ts'
import type { EcnState as State } from '../../recovery/ecn.ts'
import type { AckOutcome } from '../../recovery/ack-processor.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import type { ConnectionCore } from '../core.ts'

/** Call it after processAck. `largestBefore`: the largest acknowledged number before this frame. */
export function onEcnCounts(core: Pick<ConnectionCore, 'paths' | 'receiving' | 'trace'>, space: PacketSpace, largestBefore: number, now: number): void {
  const path = core.paths.active
  // Frames that do not raise the largest acknowledged number may be late; their counts are contained in the next one's.
  if (path.ecn.state === EcnState.off || space.sent.largestAcked <= largestBefore) return
  const { ack, outcome } = core.receiving
  const counts = space.ecn
  const before = path.ecn.state
  if (!ack.hasEcn) {
    if (path.ecn.onAck(markedOn(path, outcome), true, -1, -1)) traceEcn(core, path, before, now)
    return
  }
  const ect0 = ack.ect0 - counts.ect0
  const ce = ack.ce - counts.ce
  const plausible = counts.isPlausible(ack.ect0, ack.ect1, ack.ce)
  // Counts are those of all paths: marks of another one must not pass for marks that this one carried.
  const accounted = plausible && ect0 + ce >= outcome.ackedEct0
  if (path.ecn.onAck(markedOn(path, outcome), accounted, ect0, ce)) traceEcn(core, path, before, now)
  if (!plausible) return
  counts.update(ack.ect0, ack.ect1, ack.ce)
  if (ce > 0 && path.ecn.state !== EcnState.failed && outcome.largestGeneration === path.generation) {
    // RFC 9002 §7.3.2: the controller answers once per round, by the time the largest acknowledged packet was sent.
    path.congestion.onCongestionEvent(now, outcome.largestSentAt, 0, 'ecn')
    core.trace?.congestionStateUpdated(now, path.congestion.snapshot().state, 'ecn')
  }
}

export function traceEcn(core: Pick<ConnectionCore, 'trace'>, path: Path, before: State, now: number): void {
  if (core.trace === null || path.ecn.state === before) return
  const { state } = path.ecn
  core.trace.ecnStateUpdated(now, state === EcnState.capable ? 'capable' : state === EcnState.failed ? 'failed' : state === EcnState.unknown ? 'unknown' : 'testing')
}

/** Newly acknowledged packets of this path that were sent with ECT(0). */
function markedOn(path: Path, outcome: AckOutcome): number {
  if (outcome.ackedEct0 === 0) return 0
  let marked = 0
  for (let i = 0; i < outcome.ackedCount; i += 1) {
    const packet = outcome.acked[i]!
    if (packet.ecn === Ecn.ect0 && packet.generation === path.generation) marked += 1
  }
  return marked
}
