import type { H3Transport } from '../transport.ts'

/**
 * Whole frames on their way into one stream. What the transport does not take at once waits here, so a frame larger than any flow
 * control window still gets through; the short write makes the transport report when to go on.
 */
export class Outbox {
  private readonly transport: H3Transport
  private readonly waiting: Uint8Array[]
  private waitingFin: boolean
  /** Bytes that wait. */
  size: number
  /** The stream is stopped or gone: what is written is dropped. */
  gone: boolean

  constructor(transport: H3Transport) {
    this.transport = transport
    this.waiting = []
    this.waitingFin = false
    this.size = 0
    this.gone = false
  }

  get pending(): boolean {
    return this.waiting.length > 0
  }

  /** Takes ownership of `bytes`, which may be empty only with `fin`. */
  write(id: number, bytes: Uint8Array, fin: boolean): void {
    if (this.gone) return
    this.waiting.push(bytes)
    this.size += bytes.length
    this.waitingFin = fin
    this.flush(id)
  }

  /** Goes on writing; true when nothing waits any more. */
  flush(id: number): boolean {
    while (this.waiting.length > 0 && !this.gone) {
      const bytes = this.waiting[0]!
      const fin = this.waitingFin && this.waiting.length === 1
      const accepted = this.transport.streamWrite(id, bytes, fin)
      if (accepted < 0) {
        this.drop()
        return true
      }
      this.size -= accepted
      if (accepted < bytes.length) {
        this.waiting[0] = bytes.subarray(accepted)
        return false
      }
      this.waiting.shift()
    }
    return true
  }

  drop(): void {
    this.gone = true
    this.waiting.length = 0
    this.size = 0
  }
}
