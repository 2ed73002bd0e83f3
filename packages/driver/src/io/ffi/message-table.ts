// An array of struct mmsghdr with all that it points to, for sendmmsg and recvmmsg: per message one iovec, one sockaddr and room for control
// messages. Pointers are written once. Layouts are those of 64-bit little-endian Linux:
//   mmsghdr  0 name · 8 name length · 16 iovec · 24 iovec count · 32 control · 40 control length · 48 flags · 56 bytes transferred
//   iovec    0 base · 8 length
//   cmsghdr  0 length · 8 level · 12 type · 16 data, padded to 8

import type { Native } from './availability.ts'
import { IPV6_TCLASS, IP_TOS, SOL_IP, SOL_IPV6, SOL_UDP, UDP_GRO, UDP_SEGMENT } from './libc.ts'
import { NativeMemory } from './native-memory.ts'

const HEADER_SIZE = 64
const IOVEC_SIZE = 16
const NAME_SIZE = 32
/** Two control messages of an int, and as much again. */
const CONTROL_SIZE = 96
const CMSG_HEADER = 16
const CMSG_SPACE = 24

export class MessageTable {
  readonly count: number
  readonly memory: NativeMemory
  readonly address: bigint
  private readonly words: Int32Array
  private readonly iovecs: number
  private readonly names: number
  private readonly controls: number

  constructor({ ffi }: Native, count: number) {
    this.count = count
    this.iovecs = count * HEADER_SIZE
    this.names = this.iovecs + count * IOVEC_SIZE
    this.controls = this.names + count * NAME_SIZE
    this.memory = new NativeMemory(ffi, this.controls + count * CONTROL_SIZE)
    this.words = this.memory.words
    this.address = this.memory.pointer()
    for (let i = 0; i < count; i++) {
      const header = i * HEADER_SIZE
      this.memory.setPointer(header, this.memory.address + this.nameOffset(i))
      this.memory.setPointer(header + 16, this.memory.address + this.iovecs + i * IOVEC_SIZE)
      this.words[(header + 24) >> 2] = 1
      this.memory.setPointer(header + 32, this.memory.address + this.controls + i * CONTROL_SIZE)
    }
  }

  nameOffset(i: number): number {
    return this.names + i * NAME_SIZE
  }

  setPayload(i: number, address: number, length: number): void {
    const iovec = this.iovecs + i * IOVEC_SIZE
    this.memory.setPointer(iovec, address)
    this.words[(iovec + 8) >> 2] = length
  }

  // -- sending

  /** Null on a connected socket. */
  setName(i: number, name: Uint8Array | null): void {
    const header = i * HEADER_SIZE
    if (name === null) {
      this.memory.setPointer(header, 0)
      return
    }
    this.memory.bytes.set(name, this.nameOffset(i))
    this.words[(header + 8) >> 2] = name.length
  }

  /** ECN codepoint, in the form for the packet's IP version, and the size of the segments the payload is cut into, 0 when it is one. */
  setControl(i: number, v4: boolean, ecn: number, segment: number): void {
    let used = 0
    if (ecn !== 0) used = this.putControl(i, used, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TOS : IPV6_TCLASS, 4, ecn)
    if (segment !== 0) used = this.putControl(i, used, SOL_UDP, UDP_SEGMENT, 2, segment)
    this.words[(i * HEADER_SIZE + 40) >> 2] = used
  }

  private putControl(i: number, at: number, level: number, type: number, size: number, value: number): number {
    const word = (this.controls + i * CONTROL_SIZE + at) >> 2
    this.words[word] = CMSG_HEADER + size
    this.words[word + 1] = 0
    this.words[word + 2] = level
    this.words[word + 3] = type
    this.words[word + 4] = value
    return at + CMSG_SPACE
  }

  // -- receiving

  /** Gives the system the whole of a message's room again. */
  reset(i: number): void {
    const word = (i * HEADER_SIZE) >> 2
    this.words[word + 2] = NAME_SIZE
    this.words[word + 10] = CONTROL_SIZE
    this.words[word + 12] = 0
  }

  /** Bytes received. */
  length(i: number): number {
    return this.words[(i * HEADER_SIZE + 56) >> 2]!
  }

  /** The ECN codepoint of a received message: either IP version's form, as a dual-stack socket gets both. 0 when there is none. */
  ecn(i: number): number {
    const v4 = this.control(i, SOL_IP, IP_TOS)
    // IP_TOS comes as one byte, IPV6_TCLASS as an int.
    return (v4 >= 0 ? this.words[v4]! : this.wordOrZero(this.control(i, SOL_IPV6, IPV6_TCLASS))) & 3
  }

  /** The size of the datagrams a received message was joined from, 0 when it is one. */
  segment(i: number): number {
    return this.wordOrZero(this.control(i, SOL_UDP, UDP_GRO))
  }

  private wordOrZero(word: number): number {
    return word < 0 ? 0 : this.words[word]!
  }

  /** The word where its data begins, -1 when it is not there. */
  private control(i: number, level: number, type: number): number {
    const base = this.controls + i * CONTROL_SIZE
    const end = base + this.words[(i * HEADER_SIZE + 40) >> 2]!
    for (let at = base; at + CMSG_HEADER < end; ) {
      const word = at >> 2
      const length = this.words[word]!
      if (this.words[word + 2] === level && this.words[word + 3] === type) return word + 4
      if (length < CMSG_HEADER) return -1
      at += (length + 7) & ~7
    }
    return -1
  }
}
