// ACK frames (RFC 9000 §19.3, RFC 9002 §5 and §6): recovery finds out what was acknowledged and what is lost; this file
// charges each packet to its own path and sends its tokens home.

import { processAck } from '../../recovery/ack-processor.ts'
import type { AckOutcome } from '../../recovery/ack-processor.ts'
import { usableAckDelay } from '../../recovery/rtt.ts'
import type { Path } from '../../path/path.ts'
import { BASE_DATAGRAM } from '../../path/pmtud.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { SpaceId } from '../../space/space-id.ts'
import { FrameType, PacketType, TransportErrorCode } from '../../wire/constants.ts'
import { TransportError } from '../../wire/transport-error.ts'
import type { ConnectionCore } from '../core.ts'
import { onMtuProbeAcked } from '../datagram-size.ts'
import { routeAckedPacket } from '../delivery-routes.ts'
import { checkRejected } from '../handshake/early-packets.ts'
import { declareLostPackets } from '../loss.ts'
import { onEcnCounts } from './on-ecn.ts'
import { probeTimeout } from '../probe-timeout.ts'

export function onAck(core: ConnectionCore, space: PacketSpace, now: number): void {
  const { ack, outcome } = core.receiving
  core.stats.acksReceived += 1
  const largestBefore = space.sent.largestAcked
  processAck(space.sent, ack.ranges, ack.rangeCount, outcome)
  if (outcome.acknowledgesUnsent) {
    throw new TransportError(TransportErrorCode.protocolViolation, FrameType.ack, 'acknowledged a packet that was never sent (RFC 9000 §13.1)')
  }
  if (space.id === SpaceId.application) checkRejected(core, ack.ranges[2 * ack.rangeCount - 2] ?? Infinity)
  if (space.oneRttKeys !== null) core.keyPhase.onAcked(space.oneRttKeys, ack.largest)
  if (outcome.spuriousCount > 0) settleSpurious(core, space, outcome, now)
  if (outcome.ackedCount === 0) return
  adaptThresholds(core, outcome, largestBefore, now)
  const path = core.paths.active
  const inFlightBefore = path.bytesInFlight
  takeRttSample(core, space, outcome, now)
  space.lossReference = Math.max(space.lossReference, largestInUse(outcome))
  settleAcked(core, space, outcome, now)
  onEcnCounts(core, space, largestBefore, now)
  declareLostPackets(core, space, now)
  if (path.appLimited) path.congestion.onAppLimited(path.bytesInFlight)
  path.congestion.onAckBatchEnd(now, path.bytesInFlight, path.underusesWindow(inFlightBefore))
  onProgress(core, space, outcome, now)
  path.delivery.onAcked(inFlightBefore - path.bytesInFlight, path.rtt.smoothed, now)
  path.delivery.noteInFlight(path.bytesInFlight, now)
  if (core.lifecycle.state === 'confirmed') reviewAckFrequency(core, path, now)
  space.sent.forgetLost(now, 3 * probeTimeout(core, path))
  outcome.release(core.packetPool)
  if (core.trace !== null) traceMetrics(core, space, path, now)
}

function traceMetrics(core: ConnectionCore, space: PacketSpace, path: Path, now: number): void {
  const { rtt, congestion } = path
  const { window, slowStartThreshold, state } = congestion.snapshot()
  core.trace?.metricsUpdated(
    now,
    rtt.minimum,
    rtt.smoothed,
    rtt.latest,
    rtt.variance,
    core.pto.count,
    window,
    path.bytesInFlight,
    slowStartThreshold,
    space.sent.packetsInFlight,
    congestion.pacingRate(rtt),
  )
  core.trace?.congestionStateUpdated(now, state, '')
}

/** RFC 9002 §5.1: only when the largest acknowledged is new and something ack-eliciting was among the new. */
function takeRttSample(core: ConnectionCore, space: PacketSpace, outcome: AckOutcome, now: number): void {
  const { ack } = core.receiving
  if (!outcome.rttSample || outcome.largestGeneration !== core.paths.active.generation) return
  const parameters = core.handshake.peerParameters
  let ackDelay = 0
  if (space.id === SpaceId.application && parameters !== null) {
    // RFC 9000 §19.3: the peer's exponent scales the field, in microseconds.
    const reported = (ack.delay * 2 ** parameters.ackDelayExponent) / 1000
    ackDelay = usableAckDelay(reported, false, core.lifecycle.state === 'confirmed', core.ackFrequency.maxAckDelay)
  }
  // RFC 9002 §5.3: time spent waiting for keys is ours, "an endpoint SHOULD subtract such local delays". The packet came back before.
  const receivedAt = core.lifecycle.state === 'confirmed' ? now : core.receiving.receivedAt
  const rtt = core.paths.active.rtt
  rtt.update(Math.max(0, receivedAt - outcome.largestSentAt), ackDelay, now)
  core.streams.setRtt(rtt.smoothed)
}

/**
 * RFC 9000 §9.4: "A sender can make exceptions for probe packets so that their loss detection is independent". One that overtook
 * the others on a faster path is no sign of their loss. -1: nothing but probes was acknowledged.
 */
function largestInUse(outcome: AckOutcome): number {
  for (let i = outcome.ackedCount - 1; i >= 0; i -= 1) {
    const packet = outcome.acked[i]!
    if (!packet.pathProbe) return packet.packetNumber
  }
  return -1
}

function settleAcked(core: ConnectionCore, space: PacketSpace, outcome: AckOutcome, now: number): void {
  for (let i = 0; i < outcome.ackedCount; i += 1) {
    const packet = outcome.acked[i]!
    const path = core.paths.ofPacket(packet)
    if (path !== null && packet.inFlight) {
      path.removeInFlight(packet.size)
      path.packetsAcked += 1
      path.congestion.onAcked(now, packet, path.rtt, path.bytesInFlight)
      // RFC 8899 §4.3: what is larger than the base size and arrives tells about the path's MTU.
      if (packet.mtuProbe) onMtuProbeAcked(core, path, packet, now)
      else if (packet.size > BASE_DATAGRAM && space.id === SpaceId.application) path.mtu.onFullSizeAcked(packet.packetNumber)
    }
    routeAckedPacket(core, space, packet)
  }
}

function settleSpurious(core: ConnectionCore, space: PacketSpace, outcome: AckOutcome, now: number): void {
  for (let i = 0; i < outcome.spuriousCount; i += 1) {
    const packet = outcome.spurious[i]!
    const path = core.paths.ofPacket(packet)
    if (packet.mtuProbe) {
      if (path !== null) onMtuProbeAcked(core, path, packet, now)
      continue
    }
    core.stats.packetsSpuriouslyLost += 1
    if (path !== null && packet.inFlight) {
      path.congestion.onSpurious(packet.sentAt, packet.size)
      path.lossThresholds.onSpurious(packet, space.sent.largestAcked, path.rtt, now)
    }
    routeAckedPacket(core, space, packet)
  }
}

/** RFC 9002 §6.1: thresholds that reordering has raised come down again when they are not needed. */
function adaptThresholds(core: Pick<ConnectionCore, 'paths'>, outcome: AckOutcome, largestBefore: number, now: number): void {
  const { lossThresholds, rtt, generation } = core.paths.active
  const oldest = outcome.acked[0]!
  if (lossThresholds.raised && oldest.generation === generation) lossThresholds.onAck(oldest, largestBefore, rtt, now)
}

function reviewAckFrequency(core: Pick<ConnectionCore, 'ackFrequency'>, path: Path, now: number): void {
  const packets = path.congestion.window() / path.maxDatagramSize
  core.ackFrequency.review(path.generation, packets, path.rtt.smoothed, path.lossThresholds.packets, now)
}

function onProgress(core: ConnectionCore, space: PacketSpace, outcome: AckOutcome, now: number): void {
  // RFC 9002 §6.2.2.1: an acknowledged Handshake packet proves that the server has validated the client's address. So does a 1-RTT
  // packet (RFC 9001 §4.1.2), and a 0-RTT packet does not.
  const newest = outcome.acked[outcome.ackedCount - 1]!
  if (newest.packetType === PacketType.handshake || newest.packetType === PacketType.oneRtt) core.handshake.peerAddressValidated = true
  core.pto.onAck(now, core.role === 'server' || core.handshake.peerAddressValidated)
  space.probesPending = 0
}
