// Everything that belongs to one network path: address pair, the connection ID it sends to, RTT, congestion control, pacing, bytes in flight,
// amplification budget, datagram size, ECN and validation (RFC 9000 §9.4, RFC 9002 §7). Nobody else holds these.

import { EMPTY, copyBytes } from '../base/bytes.ts'
import type { PathConnectionId } from '../cid/remote-connection-ids.ts'
import type { CongestionController } from '../congestion/controller.ts'
import { Pacer } from '../congestion/pacer.ts'
import { EcnValidation } from '../recovery/ecn.ts'
import { LossThresholds } from '../recovery/loss-thresholds.ts'
import { RttEstimator } from '../recovery/rtt.ts'
import { MAX_UDP_PAYLOAD } from '../wire/constants.ts'
import { AmplificationBudget } from './amplification.ts'
import { DeliveryMeter } from './delivery-meter.ts'
import type { PathAddress } from './path-address.ts'
import { PathValidation, PathValidationState } from './path-validation.ts'
import { ETHERNET_DATAGRAM, MtuDiscovery } from './pmtud.ts'
import type { MtuConfig } from './pmtud.ts'

/** Smaller datagrams are not worth sending: a packet with PATH_CHALLENGE or PATH_RESPONSE just fits. */
const LEAST_DATAGRAM = 64

/** RFC 9000 §8.2.2: responses owed on one path; an attacker's surplus challenges are dropped. */
const MAX_PENDING_RESPONSES = 4

export interface PathConfig {
  /** Bytes of UDP payload before anything is known about the path. */
  readonly maxDatagramSize: number
  /** RFC 8899; without it the size stays as it is. Default false. */
  readonly mtuDiscovery?: boolean
  /** Nothing larger is probed. 0, the default: what the address says. */
  readonly maxProbeSize?: number
  /** The socket marks and reads the ECN field. Default false. */
  readonly ecnCapable?: boolean
  readonly initialRtt: number
  readonly createController: (maxDatagramSize: number) => CongestionController
}

/** What a path that is not in use is being validated for. */
export const PathPurpose = { none: 0, probe: 1, migration: 2 } as const
export type PathPurpose = (typeof PathPurpose)[keyof typeof PathPurpose]

export class Path {
  /** Rises with every fresh path: packets of an older generation never touch a newer path's state. A rebinding keeps it. */
  readonly generation: number
  readonly address: PathAddress
  /** What packets on this path are sent to (RFC 9000 §9.5). */
  readonly destination: PathConnectionId
  /** The connection ID of ours in the newest packet that came on this path. */
  peerDestination: Uint8Array
  purpose: PathPurpose
  /** When a path that is not in use is given up, Infinity for not yet. */
  expiresAt: number
  readonly rtt: RttEstimator
  readonly lossThresholds: LossThresholds
  readonly congestion: CongestionController
  readonly pacer: Pacer
  readonly amplification: AmplificationBudget
  readonly validation: PathValidation
  readonly responses: Uint8Array[]
  readonly mtu: MtuDiscovery
  readonly ecn: EcnValidation
  readonly delivery: DeliveryMeter
  /** Shared by the paths of one generation, as the window is that it is held against. */
  private readonly flight: { bytes: number }
  /** The peer's max_udp_payload_size, Infinity before it is known. */
  peerLimit: number
  /** RFC 9002 §7.8: the window was not filled because there was nothing to send. */
  appLimited: boolean
  /** UDP payload. */
  bytesSent: number
  bytesReceived: number
  datagramsSent: number
  datagramsReceived: number
  /** QUIC packets in flight that came to an end. */
  packetsAcked: number
  packetsLost: number

  constructor(
    generation: number,
    address: PathAddress,
    destination: PathConnectionId,
    validated: boolean,
    config: PathConfig,
    inherited: Path | null,
  ) {
    this.generation = inherited !== null ? inherited.generation : generation
    this.address = address
    this.destination = destination
    this.peerDestination = EMPTY
    this.purpose = PathPurpose.none
    this.expiresAt = Infinity
    // RFC 9000 §9.4: a change of port only may keep the RTT estimate and congestion state.
    this.rtt = inherited !== null ? inherited.rtt : new RttEstimator(config.initialRtt)
    this.lossThresholds = inherited !== null ? inherited.lossThresholds : new LossThresholds()
    this.mtu = inherited !== null ? inherited.mtu : new MtuDiscovery(mtuConfig(address, config))
    this.ecn = inherited !== null ? inherited.ecn : new EcnValidation(config.ecnCapable === true)
    this.delivery = inherited !== null ? inherited.delivery : new DeliveryMeter()
    this.peerLimit = inherited !== null ? inherited.peerLimit : Infinity
    this.congestion = inherited !== null ? inherited.congestion : config.createController(config.maxDatagramSize)
    this.pacer = inherited !== null ? inherited.pacer : new Pacer(config.maxDatagramSize)
    this.amplification = new AmplificationBudget()
    this.validation = new PathValidation(validated)
    if (validated) this.amplification.validate()
    this.responses = []
    this.flight = inherited !== null ? inherited.flight : { bytes: 0 }
    this.appLimited = false
    this.bytesSent = 0
    this.bytesReceived = 0
    this.datagramsSent = 0
    this.datagramsReceived = 0
    this.packetsAcked = 0
    this.packetsLost = 0
  }

  get bytesInFlight(): number {
    return this.flight.bytes
  }

  /** A packet that counts was sent. */
  addInFlight(bytes: number): void {
    this.flight.bytes += bytes
  }

  /** Bytes of UDP payload that ordinary datagrams may have. */
  get maxDatagramSize(): number {
    return this.mtu.size
  }

  onDatagramReceived(bytes: number): void {
    this.bytesReceived += bytes
    this.datagramsReceived += 1
    this.amplification.onReceived(bytes)
  }

  onDatagramSent(bytes: number): void {
    this.bytesSent += bytes
    this.datagramsSent += 1
    this.amplification.onSent(bytes)
    this.validation.onDatagramSent(bytes)
  }

  /** The connection ID that a packet of the peer was sent to; it stays the same for long. */
  noteDestination(buffer: Uint8Array, start: number, length: number): void {
    const known = this.peerDestination
    let same = known.length === length
    for (let i = 0; same && i < length; i += 1) same = known[i] === buffer[start + i]
    if (!same) this.peerDestination = copyBytes(buffer.subarray(start, start + length))
  }

  /** Without a connection ID of the peer's nothing can be sent (RFC 9000 §9.3). */
  hasDestination(): boolean {
    return this.destination.sequence >= 0
  }

  /** The peer has proved to receive at this address (RFC 9000 §8.1, §8.2). */
  validate(): void {
    this.amplification.validate()
    this.validation.confirm()
  }

  /** RFC 9002 §6.2.2: the answer to a challenge tells the initial RTT of a path that has no sample. */
  adoptRoundTrip(): void {
    const { roundTrip } = this.validation
    if (!this.rtt.hasSample && roundTrip > 0) this.rtt.reset(roundTrip)
  }

  /**
   * Bytes the next datagram may have, 0 when none may be sent. On an address that is not validated three times the bytes
   * received bound it: a challenge may go out small (RFC 9000 §8.2.1), while datagrams of the handshake need their full size.
   */
  nextDatagramSize(): number {
    if (this.destination.sequence < 0) return 0
    const size = Math.min(this.maxDatagramSize, this.amplification.remaining())
    const least = this.validation.state === PathValidationState.none ? this.maxDatagramSize : LEAST_DATAGRAM
    return size < least ? 0 : size
  }

  /** Path frames wait, and the address may be sent as much as it takes to carry them. */
  canProbe(): boolean {
    if (this.responses.length === 0 && !this.validation.wantsChallenge()) return false
    return this.destination.sequence >= 0 && this.amplification.remaining() >= LEAST_DATAGRAM
  }

  oweResponse(data: Uint8Array): void {
    if (this.responses.length < MAX_PENDING_RESPONSES) this.responses.push(copyBytes(data))
  }

  /** Bytes of a packet that are no longer outstanding. */
  removeInFlight(bytes: number): void {
    this.flight.bytes = Math.max(0, this.flight.bytes - bytes)
  }

  /** The peer takes no larger datagrams than this (RFC 9000 §18.2, max_udp_payload_size). */
  limitDatagramSize(bytes: number): void {
    const before = this.mtu.size
    this.peerLimit = bytes
    this.mtu.limit(bytes)
    if (this.mtu.size !== before) this.onDatagramSize()
  }

  /** The maximum datagram size has changed. */
  onDatagramSize(): void {
    this.congestion.onMtu(this.mtu.size)
    this.pacer.onMtu(this.mtu.size)
  }

  /**
   * Bytes of the MTU probe that is due, 0 for none. Nothing beyond Ethernet is probed that would take more than half of the
   * congestion window: it is likely to be lost, and until it is, the rest has to carry the data.
   */
  nextMtuProbe(now: number): number {
    return this.mtu.nextProbe(Math.max(ETHERNET_DATAGRAM, this.congestion.window() / 2), now)
  }

  /**
   * RFC 9002 §7.8: the window was not the limit before an acknowledgment, `inFlightBefore` bytes being out: nothing more to
   * say, or a sender too slow to fill half of it.
   */
  underusesWindow(inFlightBefore: number): boolean {
    return this.appLimited || inFlightBefore * 2 < this.congestion.window()
  }

  windowAllows(): boolean {
    return this.bytesInFlight < this.congestion.window()
  }

  /** The window has room for a packet of that size, or nothing is in flight that could make room. */
  windowFits(bytes: number): boolean {
    return this.bytesInFlight === 0 || this.bytesInFlight + bytes <= this.congestion.window()
  }
}

function mtuConfig(address: PathAddress, config: PathConfig): MtuConfig {
  const wanted = config.maxProbeSize ?? 0
  const ceiling = wanted > 0 ? wanted : (address.maxProbeSize ?? MAX_UDP_PAYLOAD)
  const initial = config.maxDatagramSize
  return { initial, ceiling: Math.max(ceiling, initial), enabled: config.mtuDiscovery === true }
}
