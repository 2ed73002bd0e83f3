// Datagrams of one turn on their way to the kernel, one behind the other in one block of memory, to leave in one sendmmsg. Neighbours of one
// size to one place are a run: one message that the kernel cuts into datagrams (UDP_SEGMENT, a GSO send). The last of a run may be shorter.

import { constants } from 'node:os'
import { SEND_BUFFER_SIZE } from '../datagram-socket.ts'
import type { Native } from './availability.ts'
import { MSG_DONTWAIT } from './libc.ts'
import { MessageTable } from './message-table.ts'
import { NativeMemory } from './native-memory.ts'

const ARENA_SIZE = 4 * SEND_BUFFER_SIZE
const MAX_RUNS = 64
/** What every kernel with UDP_SEGMENT takes, and what fits one IP packet of either version. */
const MAX_SEGMENTS = 64
const MAX_RUN_BYTES = 65_487
const MAX_VIEWS = 512

export interface Destination {
  /** sockaddr; null on a connected socket. */
  readonly name: Uint8Array | null
  /** IPv4, as itself or mapped. */
  readonly v4: boolean
}

/** Datagrams that leave in one message. */
class Run {
  start: number
  length: number
  segment: number
  count: number
  destination: Destination | null
  ecn: number
  onTooLarge: (() => void) | undefined

  constructor() {
    this.start = 0
    this.length = 0
    this.segment = 0
    this.count = 0
    this.destination = null
    this.ecn = 0
    this.onTooLarge = undefined
  }
}

export class SendQueue {
  private readonly native: Native
  private readonly fd: number
  private readonly arena: NativeMemory
  private readonly table: MessageTable
  private readonly views: Map<number, Uint8Array>
  /** Handed out when the kernel takes nothing and the arena is full. What is put there is lost. */
  private readonly overflow: Uint8Array
  private readonly runs: Run[]
  private runCount: number
  /** The first run that has not left. */
  private first: number
  private position: number
  private acquired: Uint8Array | null
  private segmentation: boolean
  private readonly onError: (errno: number) => void
  /** The kernel takes no more for now. */
  blocked: boolean

  /** `onError`: errors of other datagrams that the system told when it was asked to send. */
  constructor(native: Native, fd: number, segmentation: boolean, onError: (errno: number) => void) {
    this.native = native
    this.fd = fd
    this.arena = new NativeMemory(native.ffi, ARENA_SIZE)
    this.table = new MessageTable(native, MAX_RUNS)
    this.views = new Map()
    this.overflow = new Uint8Array(SEND_BUFFER_SIZE)
    this.runs = Array.from({ length: MAX_RUNS }, () => new Run())
    this.runCount = 0
    this.first = 0
    this.position = 0
    this.acquired = null
    this.segmentation = segmentation
    this.onError = onError
    this.blocked = false
  }

  /** Where the next datagram goes. */
  acquire(): Uint8Array {
    if (this.acquired !== null) return this.acquired
    if (this.position + SEND_BUFFER_SIZE > ARENA_SIZE || this.runCount === MAX_RUNS) this.flush()
    if (this.position + SEND_BUFFER_SIZE > ARENA_SIZE || this.runCount === MAX_RUNS) return (this.acquired = this.overflow)
    let view = this.views.get(this.position)
    if (view === undefined) {
      // Most turns send packets of the same sizes.
      if (this.views.size === MAX_VIEWS) this.views.clear()
      view = this.arena.bytes.subarray(this.position, this.position + SEND_BUFFER_SIZE)
      this.views.set(this.position, view)
    }
    return (this.acquired = view)
  }

  /** The first `length` bytes of what acquire() gave are a datagram. */
  push(length: number, destination: Destination, ecn: number, onTooLarge: (() => void) | undefined): void {
    const lost = this.acquire() === this.overflow
    this.acquired = null
    if (lost) return
    const last = this.runCount > this.first ? this.runs[this.runCount - 1]! : null
    if (last === null || onTooLarge !== undefined || !this.joins(last, length, destination, ecn)) {
      const run = this.runs[this.runCount++]!
      run.start = this.position
      run.length = length
      run.segment = length
      run.count = 1
      run.destination = destination
      run.ecn = ecn
      run.onTooLarge = onTooLarge
    } else {
      last.length += length
      last.count++
    }
    this.position += length
  }

  private joins(run: Run, length: number, destination: Destination, ecn: number): boolean {
    if (!this.segmentation || run.destination !== destination || run.ecn !== ecn || run.onTooLarge !== undefined) return false
    if (length > run.segment || length === 0 || run.count === MAX_SEGMENTS || run.length + length > MAX_RUN_BYTES) return false
    // A shorter one has ended the run.
    return run.length === run.count * run.segment
  }

  /** Sends what is there. False when the kernel would block; the rest is kept for another flush(). */
  flush(): boolean {
    let retried = false
    while (this.first < this.runCount) {
      const wanted = this.runCount - this.first
      for (let i = 0; i < wanted; i++) this.describe(i, this.runs[this.first + i]!)
      const sent = this.native.libc.sendmmsg(this.fd, this.table.address, wanted, MSG_DONTWAIT)
      if (sent >= 0) {
        this.first += sent
        retried = false
        continue
      }
      const errno = this.native.errno[0]!
      if (errno === constants.errno.EAGAIN) {
        this.blocked = true
        return false
      }
      if (errno === constants.errno.EINTR) continue
      // The error of an earlier datagram comes instead of sending this one.
      if (this.refused(this.runs[this.first]!, errno) && !retried) retried = true
      else {
        this.first++
        retried = false
      }
    }
    this.runCount = 0
    this.first = 0
    this.position = 0
    this.acquired = null
    this.blocked = false
    return true
  }

  private describe(i: number, run: Run): void {
    const { name, v4 } = run.destination!
    this.table.setPayload(i, this.arena.address + run.start, run.length)
    this.table.setName(i, name)
    this.table.setControl(i, v4, run.ecn, run.count > 1 ? run.segment : 0)
  }

  /** True when the datagram is worth a second try. */
  private refused(run: Run, errno: number): boolean {
    switch (errno) {
      case constants.errno.EMSGSIZE:
        if (run.onTooLarge !== undefined) queueMicrotask(run.onTooLarge)
        return false
      case constants.errno.EINVAL:
      case constants.errno.EIO:
        // A device or tunnel without what segmentation needs.
        if (run.count > 1) this.sendSingly(run)
        return false
      default:
        this.onError(errno)
        return true
    }
  }

  private sendSingly(run: Run): void {
    this.segmentation = false
    const { start, length, segment } = run
    for (let at = 0; at < length; at += segment) {
      run.start = start + at
      run.length = Math.min(segment, length - at)
      run.count = 1
      this.describe(0, run)
      this.native.libc.sendmmsg(this.fd, this.table.address, 1, MSG_DONTWAIT)
    }
  }
}
