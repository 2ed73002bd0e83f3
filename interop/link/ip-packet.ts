// IPv4 and IPv6 packets as a router and a NAT see them. Changes mend the checksums they touch, so that one which was wrong stays wrong.

import { complement, mended, sumWords } from './checksum.ts'

const UDP = 17
const UDP_HEADER = 8
const CE = 3

/** An address in bytes, and a port. */
export interface SocketAddress {
  readonly address: Uint8Array
  readonly port: number
}

export class IpPacket {
  readonly bytes: Uint8Array
  readonly version: 4 | 6
  /** Where the UDP header begins; -1 in a packet without a whole one, such as a later fragment. */
  private readonly udpAt: number

  private constructor(bytes: Uint8Array, version: 4 | 6, udpAt: number) {
    this.bytes = bytes
    this.version = version
    this.udpAt = udpAt
  }

  /** On those bytes, not on a copy. Null for what is no whole IP packet. */
  static parse(data: Uint8Array): IpPacket | null {
    // Not a Buffer, whose slice() is no copy.
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length)
    const version = bytes.length === 0 ? 0 : bytes[0]! >> 4
    if (version === 4) return parseV4(bytes, (udpAt) => new IpPacket(bytes, 4, udpAt))
    if (version !== 6 || bytes.length < 40 || word(bytes, 4) + 40 !== bytes.length) return null
    return new IpPacket(bytes, 6, bytes[6] === UDP && bytes.length >= 40 + UDP_HEADER ? 40 : -1)
  }

  /** A UDP packet that is not to be fragmented, with 64 hops to go. */
  static udp(source: SocketAddress, destination: SocketAddress, payload: Uint8Array): IpPacket {
    const v4 = source.address.length === 4
    const udpAt = v4 ? 20 : 40
    const length = UDP_HEADER + payload.length
    const bytes = new Uint8Array(udpAt + length)
    if (v4) bytes.set([0x45, 0, (udpAt + length) >> 8, (udpAt + length) & 0xff, 0, 0, 0x40, 0, 64, UDP])
    else bytes.set([0x60, 0, 0, 0, length >> 8, length & 0xff, UDP, 64])
    bytes.set(source.address, v4 ? 12 : 8)
    bytes.set(destination.address, v4 ? 16 : 24)
    if (v4) setWord(bytes, 10, complement(sumWords(bytes.subarray(0, 20))))
    setWord(bytes, udpAt, source.port)
    setWord(bytes, udpAt + 2, destination.port)
    setWord(bytes, udpAt + 4, length)
    bytes.set(payload, udpAt + UDP_HEADER)
    // Pseudo header: both addresses, protocol, length.
    const sum = sumWords(bytes.subarray(v4 ? 12 : 8), UDP + length)
    setWord(bytes, udpAt + 6, complement(sum) || 0xffff)
    return new IpPacket(bytes, v4 ? 4 : 6, udpAt)
  }

  /** A view. */
  get source(): Uint8Array {
    return this.version === 4 ? this.bytes.subarray(12, 16) : this.bytes.subarray(8, 24)
  }

  /** A view. */
  get destination(): Uint8Array {
    return this.version === 4 ? this.bytes.subarray(16, 20) : this.bytes.subarray(24, 40)
  }

  get isUdp(): boolean {
    return this.udpAt >= 0
  }

  /** Of a UDP packet. */
  get sourcePort(): number {
    return word(this.bytes, this.udpAt)
  }

  /** Of a UDP packet. */
  get destinationPort(): number {
    return word(this.bytes, this.udpAt + 2)
  }

  /** Of a UDP packet; a view. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.udpAt + UDP_HEADER)
  }

  /** TTL or Hop Limit. */
  get hops(): number {
    return this.bytes[this.version === 4 ? 8 : 7]!
  }

  /** RFC 3168 §5: 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE. */
  get ecn(): number {
    return this.version === 4 ? this.bytes[1]! & 3 : (this.bytes[1]! >> 4) & 3
  }

  /** Passes that many routers; false when it dies on the way. */
  passRouters(routers: number): boolean {
    const at = this.version === 4 ? 8 : 7
    if (this.bytes[at]! <= routers) return false
    if (this.version === 4) this.rewriteHeader(at, () => (this.bytes[at]! -= routers))
    else this.bytes[at]! -= routers
    return true
  }

  /** Says Congestion Experienced. */
  markCongestion(): void {
    if (this.version === 4) this.rewriteHeader(0, () => (this.bytes[1]! |= CE))
    else this.bytes[1]! |= CE << 4
  }

  /** Of a UDP packet over IPv4. */
  rewriteSource(address: Uint8Array, port: number): void {
    this.rewriteAddress(12, address)
    this.rewriteUdp(this.udpAt, () => setWord(this.bytes, this.udpAt, port))
  }

  /** Of a UDP packet over IPv4. */
  rewriteDestination(address: Uint8Array, port: number): void {
    this.rewriteAddress(16, address)
    this.rewriteUdp(this.udpAt + 2, () => setWord(this.bytes, this.udpAt + 2, port))
  }

  /** Replaces one byte of the payload of a UDP packet. */
  replacePayloadByte(index: number, value: number): void {
    const at = this.udpAt + UDP_HEADER + index
    const wordAt = at - (index & 1)
    if (wordAt + 1 < this.bytes.length) return this.rewriteUdp(wordAt, () => (this.bytes[at] = value))
    // The last byte of an odd payload counts as if a zero followed.
    const before = Uint8Array.of(this.bytes[at]!, 0)
    this.bytes[at] = value
    this.mendUdp(before, Uint8Array.of(value, 0))
  }

  /** The addresses are in both checksums. */
  private rewriteAddress(at: number, address: Uint8Array): void {
    const before = this.bytes.slice(at, at + 4)
    this.bytes.set(address, at)
    setWord(this.bytes, 10, mended(word(this.bytes, 10), before, address))
    this.mendUdp(before, address)
  }

  /** `write` changes the word of the IPv4 header at `at`. */
  private rewriteHeader(at: number, write: () => void): void {
    const before = this.bytes.slice(at, at + 2)
    write()
    setWord(this.bytes, 10, mended(word(this.bytes, 10), before, this.bytes.subarray(at, at + 2)))
  }

  /** `write` changes the word of the UDP packet at `at`. */
  private rewriteUdp(at: number, write: () => void): void {
    const before = this.bytes.slice(at, at + 2)
    write()
    this.mendUdp(before, this.bytes.subarray(at, at + 2))
  }

  private mendUdp(before: Uint8Array, after: Uint8Array): void {
    const at = this.udpAt + 6
    const checksum = word(this.bytes, at)
    // RFC 768: zero is no checksum.
    if (checksum !== 0) setWord(this.bytes, at, mended(checksum, before, after) || 0xffff)
  }
}

function parseV4<T>(bytes: Uint8Array, make: (udpAt: number) => T): T | null {
  if (bytes.length < 20) return null
  const header = (bytes[0]! & 0x0f) * 4
  if (header < 20 || bytes.length < header || word(bytes, 2) !== bytes.length) return null
  const laterFragment = (word(bytes, 6) & 0x1fff) !== 0
  return make(bytes[9] === UDP && !laterFragment && bytes.length >= header + UDP_HEADER ? header : -1)
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value & 0xff
}
