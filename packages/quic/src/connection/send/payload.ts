// What goes into a packet, in which order. Each writer takes the sink and answers false when the packet is full; nothing
// else decides order. Owners never see keys or the end of the buffer.

import { TokenKind } from '../../delivery/token.ts'
import type { Path } from '../../path/path.ts'
import { writeImmediateAck } from '../../space/ack-frequency-request.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { SpaceId } from '../../space/space-id.ts'
import { FrameType, PacketType } from '../../wire/constants.ts'
import { writeAckFrame } from '../../wire/frames/ack.ts'
import { PATH_FRAME_SIZE, writePathResponseFrame } from '../../wire/frames/path.ts'
import type { ConnectionCore } from '../core.ts'
import type { PacketBuilder } from './packet-builder.ts'
import { SendMode, spaceHasData } from './plan.ts'

type FrameWriter = (core: ConnectionCore, space: PacketSpace, path: Path, packet: PacketBuilder, now: number) => boolean

const HANDSHAKE_ORDER: readonly FrameWriter[] = [writeCrypto]

const APPLICATION_ORDER: readonly FrameWriter[] = [
  writePathFrames,
  writeCrypto,
  writeHandshakeDone,
  writeNewToken,
  writeConnectionIds,
  writeAckFrequency,
  writeStreamControl,
  writeDatagrams,
  writeStreamData,
]

/** RFC 9000 §12.5: what 0-RTT packets may carry and a client has to say before the handshake. Never an ACK. */
const EARLY_ORDER: readonly FrameWriter[] = [writeStreamControl, writeDatagrams, writeStreamData]

export function writePayload(core: ConnectionCore, space: PacketSpace, path: Path, packet: PacketBuilder, mode: SendMode, now: number): void {
  if (space.ackPolicy.isUseful()) writeAck(core, space, packet, now)
  if (mode === SendMode.acknowledgements) {
    if (space.ackPolicy.wantsPing()) writePing(packet)
    return
  }
  if (mode === SendMode.pathFrames) {
    writePathFrames(core, space, path, packet, now)
    return
  }
  const order = orderOf(packet.packetType)
  for (let i = 0; i < order.length; i += 1) {
    if (!order[i]!(core, space, path, packet, now)) break
  }
  const pingAsked = space.id === SpaceId.application && core.sending.pingDue
  if (pingAsked) core.sending.pingDue = false
  // RFC 9002 §6.2.4: a probe must be ack-eliciting; with nothing to say, a PING is.
  if ((space.probesPending > 0 || pingAsked) && !packet.ackEliciting) writePing(packet)
  // draft-ietf-quic-ack-frequency §3: never in 0-RTT packets.
  if (packet.packetType === PacketType.oneRtt && packet.ackEliciting && wantsImmediateAck(core, space, path)) writeImmediateAck(packet)
}

function orderOf(packetType: number): readonly FrameWriter[] {
  if (packetType === PacketType.oneRtt) return APPLICATION_ORDER
  return packetType === PacketType.zeroRtt ? EARLY_ORDER : HANDSHAKE_ORDER
}

/** draft-ietf-quic-ack-frequency §7, §8.1.1: probes, and the last packet of a flight whose others the peer may still be counting. */
function wantsImmediateAck(core: ConnectionCore, space: PacketSpace, path: Path): boolean {
  if (space.probesPending > 0) return core.ackFrequency.isUnderstood()
  return core.ackFrequency.isReduced() && space.sent.ackElicitingInFlight > 0 && !spaceHasData(core, space, path)
}

function writeAck(core: Pick<ConnectionCore, 'settings'>, space: PacketSpace, packet: PacketBuilder, now: number): void {
  const received = space.received
  // RFC 9000 §13.2.5: nobody uses the delay of Initial and Handshake packets.
  const delay = space.id === SpaceId.application ? ((now - received.largestReceivedAt) * 1000) / (1 << core.settings.ackDelayExponent) : 0
  const counts = received.ect0 + received.ect1 + received.ce > 0 ? received : null
  const largest = writeAckFrame(packet.writer, received.ranges, Math.max(0, Math.floor(delay)), counts)
  if (largest >= 0) packet.ackToken(largest)
}

export function writePing(packet: PacketBuilder): void {
  if (packet.room() < 1) return
  packet.writer.varint(FrameType.ping)
  packet.token(TokenKind.ping, 0, 0, 0)
}

function writePathFrames(core: ConnectionCore, _space: PacketSpace, path: Path, packet: PacketBuilder, now: number): boolean {
  return writePathResponses(path, packet) && path.validation.write(packet, core.random, now)
}

export function writePathResponses(path: Path, packet: PacketBuilder): boolean {
  while (path.responses.length > 0) {
    if (packet.room() < PATH_FRAME_SIZE) return false
    writePathResponseFrame(packet.writer, path.responses.pop()!)
    packet.token(TokenKind.pathResponse, 0, 0, 0)
  }
  return true
}

function writeCrypto(_core: ConnectionCore, space: PacketSpace, _path: Path, packet: PacketBuilder): boolean {
  return space.crypto.writeFrames(packet)
}

function writeHandshakeDone(core: ConnectionCore, _space: PacketSpace, _path: Path, packet: PacketBuilder): boolean {
  return core.handshake.writeHandshakeDone(packet)
}

function writeNewToken(core: ConnectionCore, _space: PacketSpace, _path: Path, packet: PacketBuilder): boolean {
  return core.newToken.write(packet)
}

function writeConnectionIds(core: ConnectionCore, _space: PacketSpace, _path: Path, packet: PacketBuilder): boolean {
  return core.localIds.write(packet) && core.remoteIds.write(packet)
}

function writeAckFrequency(core: ConnectionCore, _space: PacketSpace, _path: Path, packet: PacketBuilder): boolean {
  return core.ackFrequency.write(packet)
}

function writeStreamControl(core: ConnectionCore, _space: PacketSpace, _path: Path, packet: PacketBuilder): boolean {
  return core.streams.writeControl(packet)
}

function writeDatagrams(core: ConnectionCore, _space: PacketSpace, _path: Path, packet: PacketBuilder): boolean {
  return core.datagrams.write(packet)
}

function writeStreamData(core: ConnectionCore, _space: PacketSpace, _path: Path, packet: PacketBuilder): boolean {
  return core.streams.writeData(packet)
}
