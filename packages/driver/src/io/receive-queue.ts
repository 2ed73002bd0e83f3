// Datagrams between their arrival and the router's next turn, bounded twice: as a whole, and for each peer, so that one that floods
// the socket costs the others nothing. What comes beyond is dropped and counted, as by a full kernel buffer.

import { DatagramBatch } from './datagram-socket.ts'
import type { UdpPath } from './socket-address.ts'

/** Datagrams kept between two turns. */
export const MAX_BATCH = 4096
/** Of these, datagrams from one remote address. */
export const MAX_PER_PEER = 2048

export class ReceiveQueue {
  private filling: DatagramBatch
  private spare: DatagramBatch
  /** Counts batches: a path's count is of one batch only. */
  private batch: number
  dropped: number

  constructor() {
    this.filling = new DatagramBatch()
    this.spare = new DatagramBatch()
    this.batch = 0
    this.dropped = 0
  }

  /** True when this is the first of a batch. */
  push(datagram: Uint8Array, path: UdpPath, ecn: number): boolean {
    if (path.batch !== this.batch) {
      path.batch = this.batch
      path.queued = 0
    }
    if (this.filling.length >= MAX_BATCH || path.queued >= MAX_PER_PEER) {
      this.dropped++
      return false
    }
    path.queued++
    this.filling.push(datagram, path, ecn)
    return this.filling.length === 1
  }

  /** Everything since the last call, to be cleared by the caller before the next one; null when nothing. */
  take(): DatagramBatch | null {
    const full = this.filling
    if (full.length === 0) return null
    this.filling = this.spare
    this.spare = full
    this.batch++
    return full
  }
}
