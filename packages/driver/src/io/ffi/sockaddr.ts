// sockaddr_in and sockaddr_in6: addresses as the system's calls take and give them. Text is made and read by the C library, so that it is the
// form node:dgram shows.

import { isIPv4 } from 'node:net'
import type { Native } from './availability.ts'
import { AF_INET, AF_INET6 } from './libc.ts'
import { NativeMemory } from './native-memory.ts'

export const SOCKADDR_IN_LENGTH = 16
export const SOCKADDR_IN6_LENGTH = 28
/** INET6_ADDRSTRLEN and IF_NAMESIZE with room to spare. */
const TEXT_LENGTH = 64
const PORT = 2
const ADDRESS_V4 = 4
const ADDRESS_V6 = 8
const SCOPE = 24

export interface SocketName {
  readonly address: string
  readonly port: number
}

export class SockaddrCodec {
  private readonly libc: Native['libc']
  private readonly name: NativeMemory
  private readonly text: NativeMemory

  constructor({ ffi, libc }: Native) {
    this.libc = libc
    this.name = new NativeMemory(ffi, 32)
    this.text = new NativeMemory(ffi, TEXT_LENGTH)
  }

  /** `port` of a family: sockaddr bytes. Throws for what is no address. */
  encode(address: string, port: number): Uint8Array {
    const { bytes } = this.name
    const v4 = isIPv4(address)
    bytes.fill(0)
    bytes.writeUInt16LE(v4 ? AF_INET : AF_INET6, 0)
    bytes.writeUInt16BE(port, PORT)
    const [literal = '', zone] = address.split('%')
    this.writeText(literal)
    const read = this.libc.inet_pton(v4 ? AF_INET : AF_INET6, this.text.pointer(), this.name.pointer(v4 ? ADDRESS_V4 : ADDRESS_V6))
    if (read !== 1) throw new RangeError(`no IP address: ${address}`)
    if (zone !== undefined) bytes.writeUInt32LE(this.zoneIndex(zone), SCOPE)
    return Uint8Array.from(bytes.subarray(0, v4 ? SOCKADDR_IN_LENGTH : SOCKADDR_IN6_LENGTH))
  }

  /** Reads the sockaddr at `offset`. */
  decode(from: NativeMemory, offset: number): SocketName {
    const { bytes } = from
    const port = bytes.readUInt16BE(offset + PORT)
    if (bytes.readUInt16LE(offset) === AF_INET) {
      const at = offset + ADDRESS_V4
      return { address: `${bytes[at]!}.${bytes[at + 1]!}.${bytes[at + 2]!}.${bytes[at + 3]!}`, port }
    }
    this.libc.inet_ntop(AF_INET6, from.pointer(offset + ADDRESS_V6), this.text.pointer(), TEXT_LENGTH)
    const address = this.readText()
    const scope = bytes.readUInt32LE(offset + SCOPE)
    return { address: scope === 0 ? address : `${address}%${this.zoneName(scope)}`, port }
  }

  private zoneIndex(zone: string): number {
    this.writeText(zone)
    return this.libc.if_nametoindex(this.text.pointer())
  }

  private zoneName(index: number): string {
    return this.libc.if_indextoname(index, this.text.pointer()) === 0n ? `${index}` : this.readText()
  }

  private writeText(text: string): void {
    this.text.bytes.fill(0)
    this.text.bytes.write(text, 0, TEXT_LENGTH - 1, 'latin1')
  }

  private readText(): string {
    const { bytes } = this.text
    return bytes.toString('latin1', 0, bytes.indexOf(0))
  }
}
