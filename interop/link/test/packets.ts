// Packets for the tests, and a judge of their checksums that shares no code with what it judges.

import { addressBytes, CLIENT, SERVER, SERVER_PORT } from '../addresses.ts'
import { IpPacket } from '../ip-packet.ts'

export const CLIENT_PORT = 50_000

/** From the client to the server; `length` is that of the IP packet. */
export function toServer(length: number = 1200, family: 4 | 6 = 4, port: number = CLIENT_PORT): Uint8Array {
  const source = { address: addressBytes(CLIENT[family]), port }
  return IpPacket.udp(source, { address: addressBytes(SERVER[family]), port: SERVER_PORT }, payloadOf(length, family)).bytes
}

export function toClient(length: number = 1200, family: 4 | 6 = 4, port: number = CLIENT_PORT, address: string = CLIENT[family]): Uint8Array {
  const destination = { address: addressBytes(address), port }
  return IpPacket.udp({ address: addressBytes(SERVER[family]), port: SERVER_PORT }, destination, payloadOf(length, family)).bytes
}

const pattern = Uint8Array.from({ length: 65_536 }, (_, index) => (index * 7 + 0x40) & 0x7f)

function payloadOf(length: number, family: 4 | 6): Uint8Array {
  return pattern.subarray(0, length - (family === 4 ? 28 : 48))
}

/** Names of the checksums that are wrong, by the remainder of everything added up. */
export function wrongChecksums(packet: Uint8Array): string[] {
  const wrong: string[] = []
  const v4 = packet[0]! >> 4 === 4
  if (v4 && onesComplement([...packet.subarray(0, 20)]) !== 0xffff) wrong.push('IPv4')
  const udp = packet.subarray(v4 ? 20 : 40)
  const addresses = packet.subarray(v4 ? 12 : 8, v4 ? 20 : 40)
  const pseudo = [...addresses, 0, 17, udp.length >> 8, udp.length & 0xff]
  if (((udp[6]! << 8) | udp[7]!) !== 0 && onesComplement([...pseudo, ...udp]) !== 0xffff) wrong.push('UDP')
  return wrong
}

/** Exact for a packet's length: the remainder of a sum below 2^53. */
function onesComplement(bytes: readonly number[]): number {
  const sum = bytes.reduce((total, byte, index) => total + (index % 2 === 0 ? byte * 256 : byte), 0)
  return sum === 0 ? 0 : ((sum - 1) % 0xffff) + 1
}
