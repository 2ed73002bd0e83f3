// One datagram: which spaces contribute a packet, coalescing, padding (RFC 9000 §12.2, §14.1, §8.2.1). A packet is sealed
// when its successor has begun, so that padding can go into the last one.

import type { Path } from '../../path/path.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { Ecn } from '../../recovery/ecn.ts'
import { SpaceId } from '../../space/space-id.ts'
import { PacketPurpose } from '../../trace/sink.ts'
import { EncryptionLevel, MIN_INITIAL_DATAGRAM, TransportErrorCode } from '../../wire/constants.ts'
import { closedByTransport } from '../close-reason.ts'
import type { ConnectionCore } from '../core.ts'
import { probeDatagramSize } from '../datagram-size.ts'
import { endSilently } from '../ending.ts'
import { describeFrames } from '../frame-records.ts'
import { discardSpace } from '../handshake/discard-space.ts'
import { afterProbe } from '../loss.ts'
import { writeClose } from './close.ts'
import type { PacketBuilder } from './packet-builder.ts'
import { writePathResponses, writePayload, writePing } from './payload.ts'
import { SendMode, mtuProbeSize, planSend, spaceWants } from './plan.ts'
import { registerSent } from './register.ts'
import type { Transmit } from './transmit-buffer.ts'

/** Not worth starting another packet in less. */
const LEAST_COALESCED = 64

const SPACE_ORDER: readonly SpaceId[] = [SpaceId.initial, SpaceId.handshake, SpaceId.application]

/** Fills `out` with the next datagram; false when there is nothing to send now. */
export function transmitDatagram(core: ConnectionCore, out: Transmit, now: number): boolean {
  if (!core.lifecycle.isOpen()) return core.lifecycle.closeDue && transmitClose(core, out, now)
  core.sending.ecn = Ecn.notEct
  if (transmitProbing(core, out, now)) return true
  if (!rollKeys(core, now)) return false
  const path = core.paths.active
  const mode = planSend(core, path, now)
  if (mode === SendMode.none) return false
  if (mode === SendMode.mtuProbe && transmitMtuProbe(core, path, out, now)) return true
  // RFC 9000 §13.4.2. Handshake packets go unmarked: a path that drops marked packets must not cost the handshake.
  if (core.lifecycle.state === 'confirmed' && path.ecn.marks(now)) core.sending.ecn = Ecn.ect0
  return transmitPlanned(core, path, mode, out, now)
}

function transmitPlanned(core: ConnectionCore, path: Path, mode: SendMode, out: Transmit, now: number): boolean {
  const size = mode === SendMode.probe ? probeDatagramSize(path, core.pto.count) : path.nextDatagramSize()
  const limit = Math.min(size, out.buffer.length)
  let open: PacketBuilder | null = null
  let padTo = 0
  let sentHandshake = false
  for (let i = 0; i < SPACE_ORDER.length; i += 1) {
    const space = core.spaces.get(SPACE_ORDER[i]!)
    if (space === null || !space.canWrite() || !spaceWants(core, space, path, mode, now)) continue
    const start: number = open === null ? 0 : open.endIfSealed()
    if (limit - start < LEAST_COALESCED) break
    const packet = otherBuilder(core, open)
    if (!packet.begin(space, core.addressing.on(path), out.buffer, start, limit)) break
    writePayload(core, space, path, packet, mode, now)
    if (packet.isEmpty()) {
      packet.abandon()
      continue
    }
    if (open !== null) finish(core, open, path, 0, now)
    open = packet
    padTo = Math.max(padTo, paddingFor(core, space, path, packet))
    if (space.id === SpaceId.handshake) sentHandshake = true
  }
  if (open === null) return false
  finish(core, open, path, padTo, now)
  // RFC 9001 §4.9.1: "a client MUST discard Initial keys when it first sends a Handshake packet".
  if (sentHandshake && core.role === 'client' && core.spaces.initial !== null) discardSpace(core, SpaceId.initial, now)
  return emit(core, path, out, open.end)
}

function otherBuilder(core: Pick<ConnectionCore, 'sending'>, open: PacketBuilder | null): PacketBuilder {
  return open === core.sending.first ? core.sending.second : core.sending.first
}

/** RFC 9001 §6: between datagrams is the moment for new write keys. False when the connection ended for want of them. */
function rollKeys(core: ConnectionCore, now: number): boolean {
  const keys = core.spaces.application.oneRttKeys
  if (keys === null) return true
  if (core.keyPhase.beforeSealing(keys, core.lifecycle.state === 'confirmed', now)) {
    core.trace?.keyUpdated(now, EncryptionLevel.application, core.role, keys.writeGeneration, 'local_update')
  }
  if (!keys.isExhausted()) return true
  // RFC 9001 §6.6: with an exhausted key not even CONNECTION_CLOSE may be sealed.
  endSilently(core, closedByTransport(TransportErrorCode.aeadLimitReached, 'the AEAD usage limit is reached and no update was possible'), now)
  return false
}

/** How far the datagram must be filled because of this packet. */
function paddingFor(core: ConnectionCore, space: PacketSpace, path: Path, packet: PacketBuilder): number {
  // RFC 9000 §14.1: all Initial datagrams of a client, the ack-eliciting ones of a server.
  if (space.id === SpaceId.initial && (core.role === 'client' || packet.ackEliciting)) return MIN_INITIAL_DATAGRAM
  // RFC 9000 §8.2.1, §8.2.2: path validation also proves the path's size.
  return packet.carriesPathFrames && path.amplification.allows(MIN_INITIAL_DATAGRAM) ? MIN_INITIAL_DATAGRAM : 0
}

function finish(core: ConnectionCore, packet: PacketBuilder, path: Path, padTo: number, now: number): void {
  const space = packet.space
  const alone = !packet.ackEliciting
  const probing = space.probesPending > 0
  const frames = core.trace === null ? null : describeFrames(packet.writer.buffer, packet.payloadStart, packet.writer.position, core.settings.ackDelayExponent)
  const record = packet.seal(padTo)
  if (packet.carriesAck) space.ackPolicy.onAckSent(space.received.largest, alone, now)
  if (frames !== null) {
    const purpose = core.sending.mtuProbe ? PacketPurpose.mtuProbe : probing ? PacketPurpose.ptoProbe : PacketPurpose.ordinary
    core.trace?.packetSent(now, record.packetType, record.packetNumber, record.size, frames, purpose)
  }
  registerSent(core, space, path, record, now)
  if (probing && record.ackEliciting) afterProbe(core, space)
}

function emit(core: Pick<ConnectionCore, 'stats' | 'sending'>, path: Path, out: Transmit, length: number): boolean {
  out.length = length
  out.path = path.address
  out.ecn = core.sending.ecn
  path.onDatagramSent(length)
  core.stats.datagramsSent += 1
  core.stats.bytesSent += length
  return true
}

/** RFC 9000 §14.4: PING and PADDING, never anything that would have to be sent again. False when the buffer has no room for it. */
function transmitMtuProbe(core: ConnectionCore, path: Path, out: Transmit, now: number): boolean {
  const size = mtuProbeSize(core, path, now)
  const packet = core.sending.first
  if (size > out.buffer.length || !packet.begin(core.spaces.application, core.addressing.on(path), out.buffer, 0, size)) {
    path.mtu.onRefused(size, now)
    return false
  }
  writePing(packet)
  core.sending.mtuProbe = true
  finish(core, packet, path, size, now)
  core.sending.mtuProbe = false
  return emit(core, path, out, packet.end)
}

/**
 * RFC 9000 §8.2: challenges and responses on a path that is not in use, and nothing there that would move the connection (§9.1).
 * New connection IDs go with them: the peer may need one to answer.
 */
function transmitProbing(core: ConnectionCore, out: Transmit, now: number): boolean {
  const path = core.paths.probing()
  if (path === null || !core.spaces.application.canWrite()) return false
  const limit = Math.min(path.amplification.remaining(), MIN_INITIAL_DATAGRAM, out.buffer.length)
  const packet = core.sending.first
  if (!packet.begin(core.spaces.application, core.addressing.on(path), out.buffer, 0, limit)) {
    path.responses.length = 0
    return false
  }
  writePathResponses(path, packet)
  path.validation.write(packet, core.random, now)
  core.localIds.write(packet)
  finish(core, packet, path, limit, now)
  return emit(core, path, out, packet.end)
}

/** RFC 9000 §10.2.3: CONNECTION_CLOSE at every level the peer may be able to read. */
function transmitClose(core: ConnectionCore, out: Transmit, now: number): boolean {
  const path = core.paths.active
  core.lifecycle.closeDue = false
  const limit = Math.min(path.nextDatagramSize(), out.buffer.length)
  const confirmed = core.handshake.peerAddressValidated && core.spaces.handshake === null
  let open: PacketBuilder | null = null
  let padTo = 0
  for (let i = 0; i < SPACE_ORDER.length; i += 1) {
    const space = core.spaces.get(SPACE_ORDER[i]!)
    if (space === null || !space.canWrite() || (confirmed && space.id !== SpaceId.application)) continue
    const start: number = open === null ? 0 : open.endIfSealed()
    const packet = otherBuilder(core, open)
    if (!packet.begin(space, core.addressing.on(path), out.buffer, start, limit)) break
    if (!writeClose(packet, core.lifecycle.reason!, space.id)) {
      packet.abandon()
      break
    }
    if (open !== null) finish(core, open, path, 0, now)
    open = packet
    if (space.id === SpaceId.initial) padTo = MIN_INITIAL_DATAGRAM
  }
  if (open === null) return false
  finish(core, open, path, padTo, now)
  core.lifecycle.onCloseSent(open.end)
  return emit(core, path, out, open.end)
}
