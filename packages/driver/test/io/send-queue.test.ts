// What leaves in one message, and what becomes of the rest when the kernel refuses: with a kernel that does as it is told.

import { constants } from 'node:os'
import { describe, expect, it } from 'vitest'
import type { Native } from '../../src/io/ffi/availability.ts'
import type { Libc } from '../../src/io/ffi/libc.ts'
import { SendQueue, type Destination } from '../../src/io/ffi/send-queue.ts'

const { EAGAIN, ECONNREFUSED, EINVAL, EIO, EMSGSIZE } = constants.errno

/** Lengths of iovec and control as sendmmsg is given them, read from the table the queue has made. */
interface Message {
  readonly length: number
  readonly control: number
}

class Kernel {
  readonly sent: Message[]
  /** Answers of the next calls: a number of messages taken, or minus an errno. Afterwards everything is taken. */
  readonly answers: number[]
  readonly native: Native
  private readonly memories: Map<number, ArrayBuffer>

  constructor() {
    this.sent = []
    this.answers = []
    this.memories = new Map()
    const errno = new Int32Array(1)
    let next = 0x1_0000_0000
    const ffi = {
      getRawPointer: (memory: ArrayBuffer) => {
        const address = next
        next += 0x100_0000
        this.memories.set(address, memory)
        return BigInt(address)
      },
    }
    const libc = {
      sendmmsg: (_fd: number, table: bigint, count: number) => {
        const answer = this.answers.shift() ?? count
        if (answer < 0) {
          errno[0] = -answer
          return -1
        }
        const view = new DataView(this.memories.get(Number(table))!)
        for (let i = 0; i < Math.min(answer, count); i++) {
          const iovec = Number(view.getBigUint64(i * 64 + 16, true) - table)
          this.sent.push({ length: view.getUint32(iovec + 8, true), control: view.getUint32(i * 64 + 40, true) })
        }
        return Math.min(answer, count)
      },
    }
    this.native = { ffi, libc: libc as unknown as Libc, errno } as unknown as Native
  }

  get lengths(): number[] {
    return this.sent.map(({ length }) => length)
  }
}

const here: Destination = { name: new Uint8Array(16), v4: true }
const there: Destination = { name: new Uint8Array(16), v4: true }

function setUp(segmentation: boolean = true): { kernel: Kernel; queue: SendQueue; errors: number[] } {
  const kernel = new Kernel()
  const errors: number[] = []
  return { kernel, errors, queue: new SendQueue(kernel.native, 3, segmentation, (errno) => errors.push(errno)) }
}

function push(queue: SendQueue, ...lengths: number[]): void {
  for (const length of lengths) queue.push(length, here, 2, undefined)
}

describe('datagrams that leave together', () => {
  it('are one message while size, place and mark stay the same; a shorter one ends it', () => {
    const { kernel, queue } = setUp()
    push(queue, 1200, 1200, 1200, 700, 700, 1200)
    queue.push(1200, there, 2, undefined)
    queue.push(1200, there, 0, undefined)
    queue.push(1200, there, 0, () => undefined)
    queue.push(1200, there, 0, undefined)
    expect(queue.flush()).toBe(true)
    expect(kernel.lengths).toEqual([4300, 700, 1200, 1200, 1200, 1200, 1200])
    // A mark and a segment size take 24 bytes of control each.
    expect(kernel.sent.map(({ control }) => control)).toEqual([48, 24, 24, 24, 0, 0, 0])
  })

  it('are messages of their own where the kernel cannot cut', () => {
    const { kernel, queue } = setUp(false)
    push(queue, 1200, 1200, 1200)
    queue.flush()
    expect(kernel.lengths).toEqual([1200, 1200, 1200])
  })

  it('fill at most one IP packet and 64 segments', () => {
    const { kernel, queue } = setUp()
    push(queue, ...Array.from({ length: 70 }, () => 100))
    push(queue, 40_000, 40_000)
    queue.flush()
    expect(kernel.lengths).toEqual([6400, 600, 40_000, 40_000])
  })

  it('leave early when there is no room for another', () => {
    const { kernel, queue } = setUp()
    for (let i = 0; i < 7; i++) {
      expect(queue.acquire().length).toBe(65_536)
      push(queue, 60_000)
    }
    expect(kernel.lengths.length).toBeGreaterThan(0)
    queue.flush()
    expect(kernel.lengths).toEqual(Array.from({ length: 7 }, () => 60_000))
  })
})

describe('a kernel that refuses', () => {
  it('with EAGAIN keeps the rest for later, and loses what has no room', () => {
    const { kernel, queue } = setUp()
    push(queue, 1200, 1200)
    queue.push(900, there, 0, undefined)
    kernel.answers.push(1, -EAGAIN)
    expect(queue.flush()).toBe(false)
    expect([queue.blocked, kernel.lengths]).toEqual([true, [2400]])
    for (let i = 0; i < 10; i++) {
      if (queue.acquire().length === 0) throw new Error('no buffer')
      kernel.answers.unshift(-EAGAIN)
      push(queue, 50_000)
    }
    kernel.answers.length = 0
    expect(queue.flush()).toBe(true)
    expect(queue.blocked).toBe(false)
    expect(kernel.lengths.slice(0, 3)).toEqual([2400, 900, 50_000])
    expect(kernel.lengths.length).toBeLessThan(12)
    push(queue, 1000)
    queue.flush()
    expect(kernel.lengths.at(-1)).toBe(1000)
  })

  it('with EMSGSIZE is asked no more, who asked is told, later', async () => {
    const { kernel, queue } = setUp()
    let told = 0
    queue.push(9000, here, 0, () => told++)
    push(queue, 1200)
    kernel.answers.push(-EMSGSIZE)
    expect(queue.flush()).toBe(true)
    expect([told, kernel.lengths]).toEqual([0, [1200]])
    await Promise.resolve()
    expect(told).toBe(1)
  })

  it.each([EIO, EINVAL])('to cut (errno %i) gets datagrams one by one, from then on', (errno) => {
    const { kernel, queue } = setUp()
    push(queue, 1200, 1200, 800)
    kernel.answers.push(-errno)
    expect(queue.flush()).toBe(true)
    push(queue, 1200, 1200)
    queue.flush()
    expect(kernel.lengths).toEqual([1200, 1200, 800, 1200, 1200])
  })

  it('because of an earlier datagram is asked once more', () => {
    const { kernel, queue, errors } = setUp()
    push(queue, 1200)
    kernel.answers.push(-ECONNREFUSED)
    queue.flush()
    expect([kernel.lengths, errors]).toEqual([[1200], [ECONNREFUSED]])
    push(queue, 1100)
    kernel.answers.push(-ECONNREFUSED, -ECONNREFUSED)
    queue.flush()
    push(queue, 1000)
    queue.flush()
    expect(kernel.lengths).toEqual([1200, 1000])
  })
})
