// Everything that belongs to one network path: address pair, RTT, congestion control, pacing, bytes in flight,
// amplification budget, datagram size, ECN and validation (RFC 9000 §9.4, RFC 9002 §7). Nobody else holds these.

import { copyBytes } from '../base/bytes.ts'
import type { CongestionController } from '../congestion/controller.ts'
import { Pacer } from '../congestion/pacer.ts'
import { EcnValidation } from '../recovery/ecn.ts'
import { RttEstimator } from '../recovery/rtt.ts'
import { MAX_UDP_PAYLOAD } from '../wire/constants.ts'
import { AmplificationBudget } from './amplification.ts'
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

export class Path {
  /** Rises with every fresh path: packets of an older generation never touch a newer path's state. A rebinding keeps it. */
  readonly generation: number
  address: PathAddress
  readonly rtt: RttEstimator
  readonly congestion: CongestionController
  readonly pacer: Pacer
  readonly amplification: AmplificationBudget
  readonly validation: PathValidation
  readonly responses: Uint8Array[]
  readonly mtu: MtuDiscovery
  readonly ecn: EcnValidation
  /** Shared by the paths of one generation, as the window is that it is held against. */
  private readonly flight: { bytes: number }
  /** The peer's max_udp_payload_size, Infinity before it is known. */
  peerLimit: number
  /** RFC 9002 §7.8: the window was not filled because there was nothing to send. */
  appLimited: boolean
  bytesSent: number
  bytesReceived: number

  constructor(generation: number, address: PathAddress, validated: boolean, config: PathConfig, inherited: Path | null) {
    this.generation = inherited !== null ? inherited.generation : generation
    this.address = address
    // RFC 9000 §9.4: a change of port only may keep the RTT estimate and congestion state.
    this.rtt = inherited !== null ? inherited.rtt : new RttEstimator(config.initialRtt)
    this.mtu = inherited !== null ? inherited.mtu : new MtuDiscovery(mtuConfig(address, config))
    this.ecn = inherited !== null ? inherited.ecn : new EcnValidation(config.ecnCapable === true)
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
    this.amplification.onReceived(bytes)
  }

  onDatagramSent(bytes: number): void {
    this.bytesSent += bytes
    this.amplification.onSent(bytes)
  }

  /** The peer has proved to receive at this address (RFC 9000 §8.1, §8.2). */
  validate(): void {
    this.amplification.validate()
    this.validation.confirm()
  }

  /**
   * Bytes the next datagram may have, 0 when none may be sent. On an address that is not validated three times the bytes
   * received bound it: a challenge may go out small (RFC 9000 §8.2.1), while datagrams of the handshake need their full size.
   */
  nextDatagramSize(): number {
    const size = Math.min(this.maxDatagramSize, this.amplification.remaining())
    const least = this.validation.state === PathValidationState.none ? this.maxDatagramSize : LEAST_DATAGRAM
    return size < least ? 0 : size
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
