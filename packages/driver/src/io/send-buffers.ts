// Buffers for datagrams on their way to the kernel. Nearly always one of them serves every packet; those the kernel has not taken yet
// are set aside until it has.

import { SEND_BUFFER_SIZE } from './datagram-socket.ts'

/** Buffers the kernel may hold before senders have to wait, and the number kept for reuse. */
export const MAX_HELD_BUFFERS = 16

export class SendBuffers {
  private readonly held: Buffer[]
  private readonly spare: Buffer[]
  private active: Buffer
  /** The first bytes of `active`; most packets have the same size. */
  private view: Buffer

  constructor() {
    this.held = []
    this.spare = []
    this.active = Buffer.allocUnsafeSlow(SEND_BUFFER_SIZE)
    this.view = this.active.subarray(0, 0)
  }

  /** The buffer to fill. */
  get current(): Buffer {
    return this.active
  }

  /** Buffers kept for reuse. */
  get retained(): number {
    return this.spare.length
  }

  get isExhausted(): boolean {
    return this.held.length >= MAX_HELD_BUFFERS
  }

  /** Its first `length` bytes. */
  filled(length: number): Buffer {
    if (this.view.length !== length) this.view = this.active.subarray(0, length)
    return this.view
  }

  /** The kernel keeps the current buffer; another takes its place. */
  hold(): void {
    this.held.push(this.active)
    this.active = this.spare.pop() ?? Buffer.allocUnsafeSlow(SEND_BUFFER_SIZE)
    this.view = this.active.subarray(0, 0)
  }

  /** The kernel has taken everything. */
  release(): void {
    for (const buffer of this.held) if (this.spare.length < MAX_HELD_BUFFERS) this.spare.push(buffer)
    this.held.length = 0
  }
}
