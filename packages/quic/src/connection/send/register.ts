// A sealed packet becomes a fact: charged to its path, remembered by its space, counted and traced.

import type { Path } from '../../path/path.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { Ecn } from '../../recovery/ecn.ts'
import type { SentPacket } from '../../recovery/sent-packet.ts'
import type { ConnectionCore } from '../core.ts'

export function registerSent(
  core: Pick<ConnectionCore, 'idle' | 'stats' | 'paths' | 'sending' | 'streams'>,
  space: PacketSpace,
  path: Path,
  packet: SentPacket,
  now: number,
): void {
  packet.sentAt = now
  packet.generation = path.generation
  packet.appLimited = path.appLimited
  packet.ecn = core.sending.ecn
  packet.pathProbe = path !== core.paths.active
  core.stats.packetsSent += 1
  if (core.streams.bytesRetransmitted !== core.stats.streamBytesRetransmitted) {
    core.stats.streamBytesRetransmitted = core.streams.bytesRetransmitted
    core.stats.packetsRetransmitted += 1
  }
  if (packet.ecn === Ecn.ect0) {
    space.ecn.sent += 1
    path.ecn.onSent(now, path.rtt.pto(0))
  }
  if (core.sending.mtuProbe) {
    packet.mtuProbe = true
    core.stats.mtuProbesSent += 1
    path.mtu.onProbeSent(packet.packetNumber, packet.size)
  }
  if (packet.ackEliciting) core.idle.onAckElicitingSent(now)
  if (packet.inFlight) {
    // A probed path that inherited its congestion state shares it with the path in use.
    const charged = core.paths.ofPacket(packet) ?? path
    charged.addInFlight(packet.size)
    path.delivery.noteInFlight(charged.bytesInFlight, now)
    path.congestion.onSent(now, packet, charged.bytesInFlight)
    path.pacer.onSent(now, packet.size, path.congestion.pacingRate(path.rtt))
  }
  space.sent.insert(packet)
}
