// Where recvmmsg puts datagrams, and how they leave: copied out, since a datagram belongs to its receiver (decisions/0003). One ring serves
// every socket of the process: nothing stays in it between two calls. The kernel joins datagrams of one sender (UDP_GRO); they are parted here.

import type { Native } from './availability.ts'
import { MSG_DONTWAIT } from './libc.ts'
import { MessageTable } from './message-table.ts'
import { NativeMemory } from './native-memory.ts'

/** Messages per system call. */
export const RING_SIZE = 16
const SLOT_SIZE = 65_536
/** Small datagrams share memory, as long as it lasts; large ones have their own, so that what is read of them need not be copied again. */
const CHUNK_SIZE = 65_536
const OWN_MEMORY = 4096

export class ReceiveRing {
  readonly table: MessageTable
  private readonly native: Native
  private readonly slots: NativeMemory
  private chunk: Buffer
  private used: number

  constructor(native: Native) {
    this.native = native
    this.table = new MessageTable(native, RING_SIZE)
    this.slots = new NativeMemory(native.ffi, RING_SIZE * SLOT_SIZE)
    this.chunk = Buffer.alloc(0)
    this.used = 0
    for (let i = 0; i < RING_SIZE; i++) {
      this.table.setPayload(i, this.slots.address + i * SLOT_SIZE, SLOT_SIZE)
      this.table.reset(i)
    }
  }

  /** The number of messages, which are to be taken and given back with reset(); or -1 with errno set. */
  receive(fd: number): number {
    return this.native.libc.recvmmsg(fd, this.table.address, RING_SIZE, MSG_DONTWAIT, 0n)
  }

  /** A copy of `length` bytes from `at` in message `i`. */
  copy(i: number, at: number, length: number): Uint8Array {
    const start = i * SLOT_SIZE + at
    if (length >= OWN_MEMORY) {
      const own = Buffer.allocUnsafeSlow(length)
      this.slots.bytes.copy(own, 0, start, start + length)
      return own
    }
    if (this.used + length > this.chunk.length) {
      this.chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE)
      this.used = 0
    }
    const from = this.used
    this.used += length
    this.slots.bytes.copy(this.chunk, from, start, start + length)
    return this.chunk.subarray(from, from + length)
  }
}

let shared: ReceiveRing | null = null

export function receiveRing(native: Native): ReceiveRing {
  return (shared ??= new ReceiveRing(native))
}
