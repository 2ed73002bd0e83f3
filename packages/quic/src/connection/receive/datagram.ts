// From a UDP datagram to processed packets: splits coalesced packets (RFC 9000 §12.2), passes each through gate,
// unprotect and dispatch, and catches what peer input may raise. The only try of the receive side.

import type { PacketKeys } from '../../crypto/packet-keys.ts'
import type { PathAddress } from '../../path/path-address.ts'
import { SpaceId, spaceOfPacketType } from '../../space/space-id.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import type { PacketDropReason } from '../../trace/sink.ts'
import { EncryptionLevel, TAG_LENGTH } from '../../wire/constants.ts'
import { HeaderResult, parseHeader } from '../../wire/header.ts'
import type { HeaderView } from '../../wire/header.ts'
import { TransportError } from '../../wire/transport-error.ts'
import type { ConnectionCore } from '../core.ts'
import { closeOnError } from '../ending.ts'
import { describeFrames } from '../frame-records.ts'
import { watchEarlyKeys } from '../handshake/early-packets.ts'
import { noteHandshakeProgress } from '../handshake/progress.ts'
import { onRetry } from '../handshake/retry.ts'
import { onVersionNegotiation } from '../handshake/version-negotiation.ts'
import { followServerVersion, otherVersionKeys } from '../handshake/version.ts'
import { dispatchFrames } from './dispatch.ts'
import { GateDecision, admit } from './gate.ts'
import { followPeer, openPath } from './migration.ts'
import { endByStatelessReset } from './stateless-reset.ts'
import { unprotect } from './unprotect.ts'
import { probeTimeout } from '../probe-timeout.ts'

export function receiveDatagram(core: ConnectionCore, datagram: Uint8Array, address: PathAddress, ecn: number, now: number): void {
  core.stats.datagramsReceived += 1
  core.stats.bytesReceived += datagram.length
  const path = core.paths.find(address)
  // RFC 9000 §8.1: every byte of a datagram for this connection counts towards the amplification limit.
  path?.onDatagramReceived(datagram.length)
  // RFC 9000 §9: a client discards packets from an address it does not know.
  if (path === null && core.role === 'client') return
  core.receiving.ecn = ecn
  core.receiving.receivedAt = now
  receiveWhole(core, datagram, address, now)
  retryDeferred(core, now)
}

function receiveWhole(core: ConnectionCore, datagram: Uint8Array, address: PathAddress, now: number): void {
  const { packetsReceived } = core.stats
  receivePackets(core, datagram, datagram.length, address, now)
  // RFC 9000 §10.3.1: what holds no packet of ours, whatever it looks like, may be a stateless reset.
  if (core.stats.packetsReceived === packetsReceived && core.lifecycle.isOpen()) endByStatelessReset(core, datagram, now)
}

function receivePackets(core: ConnectionCore, datagram: Uint8Array, datagramSize: number, address: PathAddress, now: number): void {
  const { header } = core.receiving
  let position = 0
  while (position < datagram.length) {
    const result = parseHeader(header, datagram, position, datagram.length, core.localIdLength, core.settings.greaseQuicBit)
    if (result === HeaderResult.invalid) return drop(core, datagram.length - position, 'invalid', now)
    if (result === HeaderResult.unknownVersion) return drop(core, datagram.length - position, 'unsupported', now)
    position = header.packetEnd
    // RFC 9000 §12.2: coalesced packets with another connection ID than the first are ignored.
    if (header.start > 0 && !sameDestination(datagram, header)) {
      drop(core, header.packetEnd - header.start, 'connection_unknown', now)
      continue
    }
    try {
      receivePacket(core, datagramSize, address, now)
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      closeOnError(core, error, now)
      return
    }
  }
}

function receivePacket(core: ConnectionCore, datagramSize: number, address: PathAddress, now: number): void {
  const { header } = core.receiving
  switch (admit(core, header, datagramSize)) {
    case GateDecision.take:
      takePacket(core, null, datagramSize, address, now)
      return
    case GateDecision.takeOtherVersion:
      takePacket(core, otherVersionKeys(core, header.version), datagramSize, address, now)
      return
    case GateDecision.defer:
      if (core.deferred.add(header.buffer, header.start, header.packetEnd, address, core.receiving.ecn, core.receiving.receivedAt)) {
        core.trace?.packetBuffered(now, header.packetType, header.packetEnd - header.start)
        return
      }
      drop(core, header.packetEnd - header.start, 'key_unavailable', now)
      return
    case GateDecision.retry:
      onRetry(core, now)
      return
    case GateDecision.versionNegotiation:
      onVersionNegotiation(core, now)
      return
    default:
      drop(core, header.packetEnd - header.start, 'rejected', now)
  }
}

/** `otherKeys`: for an Initial packet of a version that is not in use. */
function takePacket(core: ConnectionCore, otherKeys: PacketKeys | null, datagramSize: number, address: PathAddress, now: number): void {
  const { receiving } = core
  const { header } = receiving
  const id = spaceOfPacketType(header.packetType)
  const space = id < 0 ? null : core.spaces.get(id as SpaceId)
  if (space === null) return
  const size = header.packetEnd - header.start
  const packetType = header.packetType
  const dropped = unprotect(core, space, otherKeys ?? space.readKeys)
  if (dropped !== null) {
    drop(core, size, dropped, now)
    return
  }
  const path = core.paths.find(address) ?? openPath(core, datagramSize, address, now)
  if (path === null || core.migration.isForsaken(address, receiving.packetNumber)) return drop(core, size, 'rejected', now)
  if (otherKeys !== null) followServerVersion(core, header.version)
  core.stats.packetsReceived += 1
  core.idle.onReceived(now)
  if (space.oneRttKeys !== null && core.keyPhase.onOpened(space.oneRttKeys, now, probeTimeout(core, path))) {
    core.trace?.keyUpdated(now, EncryptionLevel.application, core.role === 'client' ? 'server' : 'client', space.oneRttKeys.readGeneration, 'remote_update')
  }
  if (space.id === SpaceId.application && space.readKeys !== null) {
    watchEarlyKeys(core, packetType, receiving.packetNumber, probeTimeout(core, path), now)
  }
  noteHandshakeProgress(core, packetType, path, now)
  const { packetNumber } = receiving
  const payloadEnd = header.packetEnd - TAG_LENGTH
  if (core.trace !== null) {
    core.trace.packetReceived(now, packetType, packetNumber, size, describeFrames(header.buffer, receiving.payloadStart, payloadEnd, peerAckDelayExponent(core)))
  }
  dispatchFrames(core, space, packetType, path, payloadEnd, now)
  const largestBefore = space.received.largest
  // RFC 9000 §13.2.5: "endpoints SHOULD include buffering delays caused by unavailability of decryption keys".
  space.received.add(packetNumber, receiving.ecn, receiving.receivedAt)
  space.ackPolicy.onPacket(space.received, packetNumber, receiving.ackEliciting, receiving.ecn === 3, path.rtt.smoothed, now)
  followPeer(core, path, packetNumber > largestBefore, now)
}

/** Packets kept for want of keys are tried again once the keys are there; a server has those of 0-RTT and Handshake at once. */
function retryDeferred(core: ConnectionCore, now: number): void {
  if (core.deferred.length === 0 || !core.lifecycle.isOpen()) return
  if (!canRead(core.spaces.application) && !canRead(core.spaces.handshake)) return
  for (const packet of core.deferred.take()) {
    core.receiving.ecn = packet.ecn
    core.receiving.receivedAt = packet.receivedAt
    receiveWhole(core, packet.bytes, packet.address, now)
  }
}

/** RFC 9000 §18.2: 3 before the peer has said otherwise. */
function peerAckDelayExponent(core: Pick<ConnectionCore, 'handshake'>): number {
  return core.handshake.peerParameters?.ackDelayExponent ?? 3
}

function canRead(space: PacketSpace | null): boolean {
  return space !== null && space.canRead()
}

function sameDestination(datagram: Uint8Array, header: HeaderView): boolean {
  // The first packet's connection ID follows its first byte, or its version and length.
  const first = (datagram[0]! & 0x80) === 0 ? 1 : 6
  if (first === 6 && datagram[5] !== header.destinationLength) return false
  for (let i = 0; i < header.destinationLength; i += 1) {
    if (datagram[first + i] !== datagram[header.destinationStart + i]) return false
  }
  return true
}

function drop(core: ConnectionCore, size: number, reason: PacketDropReason, now: number): void {
  core.stats.packetsDropped += 1
  if (reason === 'duplicate') core.stats.packetsDuplicate += 1
  core.trace?.packetDropped(now, core.receiving.header.packetType, size, reason)
}
