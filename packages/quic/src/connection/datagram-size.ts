// MTU discovery on the connection's side (RFC 9000 §14.3, §14.4): what happened to probes and full-size packets goes to the path's
// discovery, and a new size to everybody who depends on it. Probes are in flight like other packets, but their loss is no
// sign of congestion.

import type { Path } from '../path/path.ts'
import { BASE_DATAGRAM, MtuState } from '../path/pmtud.ts'
import type { SentPacket } from '../recovery/sent-packet.ts'
import { MAX_CID_LENGTH, TAG_LENGTH } from '../wire/constants.ts'
import type { ConnectionCore } from './core.ts'

/** First byte, connection ID, packet number and tag at their longest: what a 1-RTT packet takes from its datagram. */
const SHORT_PACKET_OVERHEAD = 1 + MAX_CID_LENGTH + 4 + TAG_LENGTH

/** The same of a 0-RTT packet: also version, source connection ID, the two lengths and the Length field. */
const LONG_PACKET_OVERHEAD = SHORT_PACKET_OVERHEAD + 4 + MAX_CID_LENGTH + 2 + 2

type SizeContext = Pick<ConnectionCore, 'paths' | 'datagrams' | 'stats' | 'trace'>

/** The active path, or its datagram size, is another one. */
export function followDatagramSize(core: Pick<ConnectionCore, 'paths' | 'datagrams'>): void {
  core.datagrams.setPacketRoom(core.paths.active.maxDatagramSize - SHORT_PACKET_OVERHEAD)
}

/** RFC 9221 §3: a DATAGRAM frame has to fit the longer header of 0-RTT packets as well. */
export function limitEarlyDatagrams(core: Pick<ConnectionCore, 'paths' | 'datagrams'>): void {
  core.datagrams.setPacketRoom(core.paths.active.maxDatagramSize - LONG_PACKET_OVERHEAD)
}

export function onMtuProbeAcked(core: SizeContext, path: Path, packet: SentPacket, now: number): void {
  const before = path.maxDatagramSize
  if (path.mtu.onProbeAcked(packet.packetNumber, packet.size, now)) onSizeChanged(core, path, before, now)
}

export function onMtuProbeLost(core: SizeContext, path: Path, packet: SentPacket, now: number): void {
  core.stats.mtuProbesLost += 1
  path.mtu.onProbeLost(packet.packetNumber, now)
  traceEnd(core, path, now)
}

/** After a loss detection has told the path about every packet. `pto`: ms. */
export function checkBlackHole(core: SizeContext, path: Path, pto: number, now: number): void {
  const before = path.maxDatagramSize
  if (path.mtu.checkBlackHole(pto)) onSizeChanged(core, path, before, now)
}

/** The socket refused a datagram of the active path (EMSGSIZE). A probe that never left is not waited for. */
export function onDatagramTooLarge(core: SizeContext & Pick<ConnectionCore, 'spaces' | 'packetPool'>, size: number, now: number): void {
  const path = core.paths.active
  const { sent } = core.spaces.application
  const probeNumber = path.mtu.probeNumber
  const before = path.maxDatagramSize
  const shrinks = path.mtu.onRefused(size, now)
  if (probeNumber >= 0 && path.mtu.probeNumber < 0 && probeNumber >= sent.oldest && probeNumber <= sent.largestSent) {
    const probe = sent.at(probeNumber)
    if (probe !== null) {
      sent.takeAcked(probe)
      path.removeInFlight(probe.size)
      core.packetPool.release(probe)
      core.stats.mtuProbesLost += 1
    }
  }
  if (shrinks) onSizeChanged(core, path, before, now)
  else traceEnd(core, path, now)
}

/** RFC 8899 §4.3: repeated timeouts may mean that only small packets pass; probes are then sent at the base size. */
export function probeDatagramSize(path: Path, ptoCount: number): number {
  const size = path.nextDatagramSize()
  return ptoCount > 1 && path.mtu.state !== MtuState.off ? Math.min(size, BASE_DATAGRAM) : size
}

function onSizeChanged(core: SizeContext, path: Path, before: number, now: number): void {
  path.onDatagramSize()
  if (path === core.paths.active) followDatagramSize(core)
  core.trace?.mtuUpdated(now, before, path.maxDatagramSize, path.mtu.state === MtuState.complete)
}

function traceEnd(core: Pick<ConnectionCore, 'trace'>, path: Path, now: number): void {
  if (core.trace !== null && path.mtu.state === MtuState.complete) core.trace.mtuUpdated(now, path.maxDatagramSize, path.maxDatagramSize, true)
}
