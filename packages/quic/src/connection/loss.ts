// Loss on the connection's side (RFC 9002 §6.1, §7): recovery names the lost packets; here each is charged to its path
// and its content goes back to the owners. Also what a PTO puts up for sending again.

import { Ecn } from '../recovery/ecn.ts'
import { detectLost } from '../recovery/loss-detector.ts'
import type { Path } from '../path/path.ts'
import type { SentPacket } from '../recovery/sent-packet.ts'
import type { PacketSpace } from '../space/packet-space.ts'
import { SpaceId } from '../space/space-id.ts'
import type { ConnectionCore } from './core.ts'
import { checkBlackHole, onMtuProbeLost } from './datagram-size.ts'
import { routeLostPacket } from './delivery-routes.ts'
import { traceEcn } from './receive/on-ecn.ts'

export function declareLostPackets(core: ConnectionCore, space: PacketSpace, now: number): void {
  const { outcome } = core.receiving
  const { rtt, lossThresholds } = core.paths.active
  detectLost(space.sent, space.lossReference, rtt, now, outcome, lossThresholds)
  if (outcome.lostCount === 0) return
  let lostBytes = 0
  let latestSentAt = -Infinity
  const active = core.paths.active
  for (let i = 0; i < outcome.lostCount; i += 1) {
    const packet = outcome.lost[i]!
    const path = core.paths.ofPacket(packet)
    if (path !== null) onPathLoss(core, space, path, packet, now)
    if (!packet.mtuProbe) {
      core.stats.packetsLost += 1
      core.stats.bytesLost += packet.size
    }
    if (path !== null && packet.inFlight) {
      path.removeInFlight(packet.size)
      if (!packet.mtuProbe) path.packetsLost += 1
      // RFC 9000 §14.4: a lost MTU probe "SHOULD NOT trigger a congestion control reaction".
      if (!packet.mtuProbe) path.congestion.onLost(now, packet, path.bytesInFlight)
      if (path === active && !packet.mtuProbe) {
        lostBytes += packet.size
        if (packet.sentAt > latestSentAt) latestSentAt = packet.sentAt
      }
    }
    routeLostPacket(core, space, packet)
    core.trace?.packetLost(now, packet.packetType, packet.packetNumber, packet.lossTrigger)
  }
  active.delivery.noteInFlight(active.bytesInFlight, now)
  // RFC 9002 §7.6.1: the peer's max_ack_delay counts in every space.
  const persistent = space.persistentCongestion.onLost(outcome, rtt, core.ackFrequency.maxAckDelay, active.generation)
  if (persistent) rtt.onPersistentCongestion()
  checkBlackHole(core, active, rtt.pto(0), now)
  if (lostBytes === 0) return
  active.congestion.onCongestionEvent(now, latestSentAt, lostBytes, persistent ? 'persistent' : 'loss')
  if (core.trace !== null) core.trace.congestionStateUpdated(now, active.congestion.snapshot().state, persistent ? 'persistent_congestion' : '')
}

/** What a loss says about the path itself: its MTU, and whether it carries ECN marks. */
function onPathLoss(core: ConnectionCore, space: PacketSpace, path: Path, packet: SentPacket, now: number): void {
  if (packet.mtuProbe) onMtuProbeLost(core, path, packet, now)
  else if (space.id === SpaceId.application) path.mtu.onPacketLost(packet.packetNumber, packet.size, packet.sentAt)
  if (packet.ecn === Ecn.ect0) {
    const before = path.ecn.state
    if (path.ecn.onLost()) traceEcn(core, path, before, now)
  }
}

/** RFC 9002 §6.2.4: probes per timeout, and packets whose content they may carry again. */
const PROBES = 2

export function owesProbes(core: ConnectionCore, space: PacketSpace): void {
  space.probesPending = PROBES
  resendOldest(core, space, PROBES)
}

/**
 * After a probe: what the next one carries. In the handshake it is the same once more where there was only that: a lone PING that
 * overtakes a ClientHello, or arrives instead of it, is nothing a server can begin with.
 */
export function afterProbe(core: ConnectionCore, space: PacketSpace): void {
  space.probesPending -= 1
  if (space.probesPending > 0 && space.id !== SpaceId.application && !space.crypto.wants()) resendOldest(core, space, PROBES)
}

/**
 * RFC 9002 §6.2.4: a probe carries new data or sends unacknowledged data again. The oldest unacknowledged packets give
 * their content back for that; they stay in flight and may still be acknowledged.
 */
function resendOldest(core: ConnectionCore, space: PacketSpace, packets: number): void {
  let left = packets
  for (let number = space.sent.oldest; number <= space.sent.largestSent && left > 0; number += 1) {
    const packet = space.sent.at(number)
    if (packet === null || !packet.ackEliciting || packet.mtuProbe) continue
    routeLostPacket(core, space, packet, true)
    left -= 1
  }
}
