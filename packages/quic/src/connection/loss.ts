// Loss on the connection's side (RFC 9002 §6.1, §7): recovery names the lost packets; here each is charged to its path
// and its content goes back to the owners. Also what a PTO puts up for sending again.

import { detectLost } from '../recovery/loss-detector.ts'
import type { PacketSpace } from '../space/packet-space.ts'
import type { ConnectionCore } from './core.ts'
import { routeLostPacket } from './delivery-routes.ts'

export function declareLostPackets(core: ConnectionCore, space: PacketSpace, now: number): void {
  const { outcome } = core.receiving
  const rtt = core.paths.active.rtt
  detectLost(space.sent, space.sent.largestAcked, rtt, now, outcome)
  if (outcome.lostCount === 0) return
  let lostBytes = 0
  let latestSentAt = -Infinity
  const active = core.paths.active
  for (let i = 0; i < outcome.lostCount; i += 1) {
    const packet = outcome.lost[i]!
    core.stats.packetsLost += 1
    core.stats.bytesLost += packet.size
    const path = core.paths.ofPacket(packet)
    if (path !== null && packet.inFlight) {
      path.removeInFlight(packet.size)
      if (path === active) {
        lostBytes += packet.size
        if (packet.sentAt > latestSentAt) latestSentAt = packet.sentAt
      }
    }
    routeLostPacket(core, space, packet)
    core.trace?.packetLost(now, packet.packetType, packet.packetNumber, packet.lossTrigger)
  }
  // RFC 9002 §7.6.1: the peer's max_ack_delay counts in every space.
  const maxAckDelay = core.handshake.peerParameters?.maxAckDelay ?? 0
  const persistent = space.persistentCongestion.onLost(outcome, rtt, maxAckDelay, active.generation)
  if (persistent) rtt.onPersistentCongestion()
  if (lostBytes === 0) return
  active.congestion.onCongestionEvent(now, latestSentAt, lostBytes, persistent ? 'persistent' : 'loss')
  if (core.trace !== null) core.trace.congestionStateUpdated(now, active.congestion.snapshot().state, persistent ? 'persistent_congestion' : '')
}

/**
 * RFC 9002 §6.2.4: a probe carries new data or sends unacknowledged data again. The oldest unacknowledged packets give
 * their content back for that; they stay in flight and may still be acknowledged.
 */
export function resendOldest(core: ConnectionCore, space: PacketSpace, packets: number): void {
  let left = packets
  for (let number = space.sent.oldest; number <= space.sent.largestSent && left > 0; number += 1) {
    const packet = space.sent.at(number)
    if (packet === null || !packet.ackEliciting) continue
    routeLostPacket(core, space, packet)
    left -= 1
  }
}
