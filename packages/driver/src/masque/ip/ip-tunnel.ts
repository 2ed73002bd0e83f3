// An IP tunnel (RFC 9484) as a library: addresses, routes and packets, either role, no device. Packets that the exchanged addresses and
// routes do not cover are dropped and counted.

import { parsePrefix, versionOf, type IpPrefix, type IpVersion } from './address.ts'
import {
  decodeAssigned,
  decodeRequested,
  encodeAddresses,
  IpCapsuleType,
  isRejection,
  type AssignedAddress,
  type RequestedAddress,
} from './address-capsules.ts'
import { IpLink, type PacketFault } from './ip-link.ts'
import { decrementHops } from './packet.ts'
import { checkRanges, decodeRoutes, encodeRoutes, sortRanges, type AddressRange } from './route-capsule.ts'
import { MasqueError } from '../errors.ts'
import { CONTEXT_SIZE, contextZeroPayload, inContextZero } from '../tunnel/context.ts'
import type { DatagramOutcome, HttpTunnel, TunnelHandler } from '../tunnel/http-tunnel.ts'

/** What the owner of a tunnel hears. All optional. */
export interface IpTunnelHandler {
  /** A packet from the peer that may pass; the receiver's from here on. */
  onPacket?(packet: Uint8Array): void
  /** The addresses we may use now, all of them. */
  onAddresses?(addresses: readonly IpPrefix[]): void
  /** The peer wants addresses: answer with assignAddresses(). */
  onAddressRequest?(requests: readonly RequestedAddress[]): void
  /** Where the peer routes for us now, all of it. */
  onRoutes?(routes: readonly AddressRange[]): void
  /** Null after an orderly end. */
  onClosed?(error: MasqueError | null): void
}

export interface AddressWish {
  readonly version: IpVersion
  /** Default: any. */
  readonly address?: Uint8Array | undefined
  /** Bits. Default: all, for one address. */
  readonly length?: number | undefined
}

interface WaitingRequest {
  /** Not answered yet. */
  readonly ids: Set<number>
  readonly assigned: IpPrefix[]
  resolve(assigned: readonly IpPrefix[]): void
  reject(error: MasqueError): void
}

/** Requests whose answers are awaited at a time. */
const MAX_WAITING = 256

export class IpTunnel implements TunnelHandler {
  readonly capsuleTypes: readonly number[]
  /** Packets from the peer that did not pass. */
  readonly refused: Record<PacketFault, number>
  /** Resolves when the tunnel has ended, whoever ended it. */
  readonly ended: Promise<void>
  private readonly tunnel: HttpTunnel
  private readonly link: IpLink
  private readonly handler: IpTunnelHandler
  private readonly waiting: Set<WaitingRequest>
  private nextRequestId: number
  private settleEnded!: () => void
  private readonly whenClosed: (() => void) | null

  constructor(tunnel: HttpTunnel, handler: IpTunnelHandler, whenClosed: (() => void) | null = null) {
    this.capsuleTypes = Object.values(IpCapsuleType)
    this.refused = { malformed: 0, source: 0, destination: 0, protocol: 0, hops: 0 }
    this.tunnel = tunnel
    this.link = new IpLink()
    this.handler = handler
    this.waiting = new Set()
    this.nextRequestId = 1
    this.whenClosed = whenClosed
    this.ended = new Promise((resolve) => {
      this.settleEnded = resolve
    })
    tunnel.start(this)
  }

  get closed(): boolean {
    return this.tunnel.isClosed
  }

  /** Bytes of the largest packet that can be sent now. IPv6 needs 1280 (RFC 9484 §7.1). */
  get mtu(): number {
    return Math.min(65_535, this.tunnel.maxDatagramSize - CONTEXT_SIZE)
  }

  /** What the peer assigned to us. */
  get addresses(): readonly IpPrefix[] {
    return this.link.ownAddresses
  }

  /** Where the peer routes for us. */
  get routes(): readonly AddressRange[] {
    return this.link.peerRoutes
  }

  /** Asks for addresses; resolves with those assigned, which may be none. Rejects when the tunnel ends first. */
  requestAddresses(wishes: readonly AddressWish[]): Promise<readonly IpPrefix[]> {
    if (this.closed) return Promise.reject(closed())
    if (wishes.length === 0 || this.waiting.size >= MAX_WAITING) {
      return Promise.reject(new MasqueError('MASQUE_INVALID_ARGUMENT', wishes.length === 0 ? 'no address was asked for' : `${MAX_WAITING} requests are waiting`))
    }
    const requests = wishes.map(({ version, address, length }) => {
      const bytes = address ?? new Uint8Array(version === 4 ? 4 : 16)
      return { requestId: this.nextRequestId++, address: bytes, length: length ?? bytes.length * 8 }
    })
    return new Promise((resolve, reject) => {
      this.waiting.add({ ids: new Set(requests.map(({ requestId }) => requestId)), assigned: [], resolve, reject })
      void this.tunnel.sendCapsule(IpCapsuleType.addressRequest, encodeAddresses(requests))
    })
  }

  /**
   * Tells the peer all the addresses it may use from now on, each with the request it answers or 0, and which requests are refused.
   * False when the tunnel has ended.
   */
  assignAddresses(assigned: readonly AssignedAddress[], refused: readonly RequestedAddress[] = []): Promise<boolean> {
    this.link.peerAddresses = assigned.map(({ address, length }) => ({ address, length }))
    const rejections = refused.map(({ requestId, address }) => ({ requestId, address: new Uint8Array(address.length), length: address.length * 8 }))
    return this.tunnel.sendCapsule(IpCapsuleType.addressAssign, encodeAddresses([...assigned, ...rejections]))
  }

  /** Tells the peer all we route for it. Throws MasqueError when ranges overlap. */
  advertiseRoutes(ranges: readonly AddressRange[]): Promise<boolean> {
    const sorted = sortRanges(ranges)
    const wrong = checkRanges(sorted)
    if (wrong !== null) throw new MasqueError('MASQUE_INVALID_ARGUMENT', `these routes cannot be advertised: ${wrong}`)
    this.link.ownRoutes = sorted
    return this.tunnel.sendCapsule(IpCapsuleType.routeAdvertisement, encodeRoutes(sorted))
  }

  /**
   * Sends an IP packet, which is copied. `forwarded`: it came from another link and loses a hop (RFC 9484 §7.2). A fault says why it may
   * not pass; 'too-large': more than `mtu`.
   */
  send(packet: Uint8Array, forwarded: boolean = false): DatagramOutcome | PacketFault {
    const fault = this.link.checkOutgoing(packet)
    if (fault !== null) return fault
    const datagram = inContextZero(packet)
    if (forwarded && !decrementHops(datagram.subarray(CONTEXT_SIZE))) return 'hops'
    return this.tunnel.sendDatagram(datagram)
  }

  close(): void {
    this.tunnel.close()
  }

  /** @internal */
  onDatagram(datagram: Uint8Array): void {
    const packet = contextZeroPayload(datagram)
    if (packet === null) return
    const fault = this.link.checkIncoming(packet)
    if (fault !== null) this.refused[fault]++
    else this.handler.onPacket?.(packet)
  }

  /** @internal */
  onCapsule(type: number, value: Uint8Array): void {
    switch (type) {
      case IpCapsuleType.addressAssign:
        this.onAssigned(decodeAssigned(value))
        return
      case IpCapsuleType.addressRequest: {
        const requests = decodeRequested(value)
        this.link.onRequested(requests)
        // RFC 9484 §4.7.2: every request gets an answer.
        if (this.handler.onAddressRequest === undefined) void this.refuse(requests)
        else this.handler.onAddressRequest(requests)
        return
      }
      case IpCapsuleType.routeAdvertisement:
        this.link.peerRoutes = decodeRoutes(value)
        this.handler.onRoutes?.(this.link.peerRoutes)
        return
      default:
    }
  }

  /** @internal */
  onClosed(error: MasqueError | null): void {
    for (const request of this.waiting) request.reject(error ?? closed())
    this.waiting.clear()
    this.settleEnded()
    this.whenClosed?.()
    this.handler.onClosed?.(error)
  }

  private refuse(requests: readonly RequestedAddress[]): Promise<boolean> {
    const kept = this.link.peerAddresses.map((prefix) => ({ requestId: 0, ...prefix }))
    return this.assignAddresses(kept, requests)
  }

  private onAssigned(entries: readonly AssignedAddress[]): void {
    this.link.onAssigned(entries)
    for (const request of this.waiting) {
      for (const entry of entries) {
        if (request.ids.delete(entry.requestId) && !isRejection(entry)) request.assigned.push({ address: entry.address, length: entry.length })
      }
      if (request.ids.size > 0) continue
      this.waiting.delete(request)
      request.resolve(request.assigned)
    }
    this.handler.onAddresses?.(this.link.ownAddresses)
  }
}

/** `192.0.2.0/24` as a range for all protocols, or one. Throws MasqueError. */
export function routeTo(prefix: string, protocol: number = 0): AddressRange {
  const parsed = prefixFrom(prefix)
  return { start: parsed.address, end: lastOf(parsed), protocol }
}

/** Throws MasqueError. */
export function prefixFrom(text: string): IpPrefix {
  const prefix = parsePrefix(text)
  if (prefix === null) throw new MasqueError('MASQUE_INVALID_ARGUMENT', `"${text}" is no IP prefix`)
  return prefix
}

function lastOf({ address, length }: IpPrefix): Uint8Array {
  const last = address.slice()
  const bits = versionOf(address) === 4 ? 32 : 128
  for (let bit = length; bit < bits; bit++) last[bit >> 3]! |= 0x80 >> (bit & 7)
  return last
}

function closed(): MasqueError {
  return new MasqueError('MASQUE_CLOSED', 'the tunnel is closed')
}
