// IP packets around datagrams, for captures made in tests.

import { parseIpAddress } from '../../../packages/quic/src/base/ip-address.ts'

const UDP_HEADER = 8

/** Addresses are `ADDRESS:PORT`, IPv6 in brackets. Checksums are left out: nothing here looks at them. */
export function ipPacket(source: string, destination: string, payload: Uint8Array, ecn: number = 0): Uint8Array {
  const [from, to] = [split(source), split(destination)]
  const headerLength = from.address.length === 4 ? 20 : 40
  const packet = new Uint8Array(headerLength + UDP_HEADER + payload.length)
  const view = new DataView(packet.buffer)
  if (headerLength === 20) {
    packet.set([0x45, ecn])
    view.setUint16(2, packet.length)
    packet.set([64, 17], 8)
    packet.set(from.address, 12)
    packet.set(to.address, 16)
  } else {
    packet.set([0x60, ecn << 4])
    view.setUint16(4, UDP_HEADER + payload.length)
    packet.set([17, 64], 6)
    packet.set(from.address, 8)
    packet.set(to.address, 24)
  }
  view.setUint16(headerLength, from.port)
  view.setUint16(headerLength + 2, to.port)
  view.setUint16(headerLength + 4, UDP_HEADER + payload.length)
  packet.set(payload, headerLength + UDP_HEADER)
  return packet
}

function split(name: string): { address: Uint8Array; port: number } {
  const colon = name.lastIndexOf(':')
  const address = parseIpAddress(name.slice(0, colon).replace(/^\[|\]$/g, ''))
  if (address === null) throw new RangeError(`${name} is not ADDRESS:PORT`)
  return { address, port: Number(name.slice(colon + 1)) }
}
