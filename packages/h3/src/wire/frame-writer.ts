import { varintSize, varintSizeExact, writeVarint, writeVarintExact } from '@quicwire/quic/varint'
import type { WireValue } from '@quicwire/quic/varint'
import { FrameType } from './frame-types.ts'

/** Frames as bytes (RFC 9114 §7). Each call makes a new array, since the transport takes ownership of it. */

/** A frame with a copy of `payload`. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(varintSize(type) + varintSize(payload.length) + payload.length)
  const position = writeVarint(frame, writeVarint(frame, 0, type), payload.length)
  frame.set(payload, position)
  return frame
}

/** GOAWAY (RFC 9114 §7.2.6). */
export function encodeGoaway(id: WireValue): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(varintSizeExact(id))
  writeVarintExact(payload, 0, id)
  return encodeFrame(FrameType.goaway, payload)
}

/** The largest header of a DATA frame `dataHeader` makes: a type and a length below 2^30. */
export const MAX_DATA_PAYLOAD = 0x3fff_ffff

/** Size of the shortest DATA frame header for a payload. */
export function dataHeaderSize(payload: number): number {
  return 1 + varintSize(payload)
}

/**
 * The largest DATA payload whose frame takes `capacity` bytes (at least 3) exactly. The length may take more bytes than it needs
 * (RFC 9000 §16), so no capacity is left over by a length that has just become a byte longer.
 */
export function dataPayloadFor(capacity: number): number {
  if (capacity - 2 < 64) return capacity - 2
  if (capacity - 3 < 16384) return capacity - 3
  return Math.min(capacity - 5, MAX_DATA_PAYLOAD)
}

/** Headers of DATA frames are carved from slabs, so that one per body chunk costs no allocation of its own. */
export class DataHeaderSlab {
  private slab: Uint8Array
  private used: number

  constructor() {
    this.slab = EMPTY
    this.used = 0
  }

  /** A DATA frame header of `size` bytes (2, 3 or 5), never written to again. */
  header(payload: number, size: number): Uint8Array {
    if (this.used + size > this.slab.length) {
      this.slab = new Uint8Array(512)
      this.used = 0
    }
    const start = this.used
    const slab = this.slab
    this.used += size
    slab[start] = FrameType.data
    if (size === 2) slab[start + 1] = payload
    else if (size === 3) {
      slab[start + 1] = 0x40 | (payload >>> 8)
      slab[start + 2] = payload
    } else {
      slab[start + 1] = 0x80 | (payload >>> 24)
      slab[start + 2] = payload >>> 16
      slab[start + 3] = payload >>> 8
      slab[start + 4] = payload
    }
    return slab.subarray(start, start + size)
  }
}

const EMPTY = new Uint8Array(0)
