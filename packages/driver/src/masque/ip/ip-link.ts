// The state of one IP tunnel: which addresses and routes each side has given the other (RFC 9484 §4.7), and whether a packet may pass.

import { prefixContains, type IpPrefix } from './address.ts'
import { isRejection, malformed, type AssignedAddress, type RequestedAddress } from './address-capsules.ts'
import { ICMP, ICMPV6, parsePacket, type IpHeader } from './packet.ts'
import { rangeContains, type AddressRange } from './route-capsule.ts'

/** Why a packet does not pass. RFC 9484 §7.2: a forwarding error, never one of the protocol. */
export type PacketFault = 'malformed' | 'source' | 'destination' | 'protocol' | 'hops'

/** Request IDs of the peer that are remembered, to refuse their reuse. */
export const MAX_REQUEST_IDS = 65_536

export class IpLink {
  /** What we assigned to the peer. */
  peerAddresses: readonly IpPrefix[]
  /** What the peer assigned to us. */
  ownAddresses: readonly IpPrefix[]
  /** What we route for the peer. */
  ownRoutes: readonly AddressRange[]
  /** What the peer routes for us. */
  peerRoutes: readonly AddressRange[]
  private readonly peerRequests: Set<number>

  constructor() {
    this.peerAddresses = []
    this.ownAddresses = []
    this.ownRoutes = []
    this.peerRoutes = []
    this.peerRequests = new Set()
  }

  /** Each ADDRESS_ASSIGN is the whole list; rejections are no part of it. */
  onAssigned(entries: readonly AssignedAddress[]): void {
    this.ownAddresses = entries.filter((entry) => !isRejection(entry)).map(({ address, length }) => ({ address, length }))
  }

  /** RFC 9484 §4.7.2: request IDs are never used twice. */
  onRequested(entries: readonly RequestedAddress[]): void {
    for (const { requestId } of entries) {
      if (this.peerRequests.has(requestId)) throw malformed(`ADDRESS_REQUEST with request ID ${requestId} again`)
      if (this.peerRequests.size >= MAX_REQUEST_IDS) throw malformed(`more than ${MAX_REQUEST_IDS} address requests`)
      this.peerRequests.add(requestId)
    }
  }

  /** Why a packet from the peer must not be taken, or null. */
  checkIncoming(packet: Uint8Array): PacketFault | null {
    return check(packet, this.peerAddresses, this.peerRoutes, this.ownAddresses, this.ownRoutes)
  }

  /** Why a packet must not be sent to the peer, or null. */
  checkOutgoing(packet: Uint8Array): PacketFault | null {
    return check(packet, this.ownAddresses, this.ownRoutes, this.peerAddresses, this.peerRoutes)
  }
}

/** A sender uses the addresses it was assigned, or forwards from where it routes to; the other way round for the receiver. */
function check(
  packet: Uint8Array,
  senderAddresses: readonly IpPrefix[],
  senderRoutes: readonly AddressRange[],
  receiverAddresses: readonly IpPrefix[],
  receiverRoutes: readonly AddressRange[],
): PacketFault | null {
  const header = parsePacket(packet)
  if (header === null) return 'malformed'
  // RFC 9484 §7.2.1: errors come from anywhere on the way. Only of who was given an address it is known what it may say.
  const isError = senderAddresses.length === 0 && isIcmp(header)
  if (!isError && !isAssigned(senderAddresses, header.source)) {
    const fault = routeFault(senderRoutes, header.source, header)
    if (fault !== null) return fault === 'none' ? 'source' : fault
  }
  if (isAssigned(receiverAddresses, header.destination)) return null
  const fault = routeFault(receiverRoutes, header.destination, header)
  return fault === 'none' ? 'destination' : fault
}

function isAssigned(prefixes: readonly IpPrefix[], address: Uint8Array): boolean {
  return prefixes.some((prefix) => prefixContains(prefix, address))
}

function isIcmp({ source, protocol }: IpHeader): boolean {
  return protocol === (source.length === 4 ? ICMP : ICMPV6)
}

function routeFault(ranges: readonly AddressRange[], address: Uint8Array, header: IpHeader): 'none' | 'protocol' | null {
  let fault: 'none' | 'protocol' = 'none'
  for (const range of ranges) {
    if (!rangeContains(range, address)) continue
    // RFC 9484 §4.7.3: ICMP is always allowed.
    if (range.protocol === 0 || range.protocol === header.protocol || isIcmp(header)) return null
    fault = 'protocol'
  }
  return fault
}
