import { VarintCollector } from './varint-collector.ts'

/**
 * The frame layer of one stream (RFC 9114 §7.1), fed with whatever the transport has: it knows where in a frame the stream is and
 * holds no payload. The owner takes payload bytes itself and reports them with `took`.
 */
export class FrameReader {
  /** Type and length of the current frame, once `inPayload`. */
  type: number
  length: number
  /** Payload bytes of the current frame that are still to come. */
  remaining: number
  /** The header of a frame has been read and its payload has not ended. True for an empty payload until `took(0)`. */
  inPayload: boolean
  private typeKnown: boolean
  private readonly varint: VarintCollector

  constructor() {
    this.type = 0
    this.length = 0
    this.remaining = 0
    this.inPayload = false
    this.typeKnown = false
    this.varint = new VarintCollector()
  }

  /** Between two frames: where a stream may end (RFC 9114 §7.1). */
  get atBoundary(): boolean {
    return !this.inPayload && !this.typeKnown && this.varint.untouched
  }

  /** Reads the rest of a frame header from bytes[position, end); returns the position after it. Sets `inPayload` when it is complete. */
  readHeader(bytes: Uint8Array, position: number, end: number): number {
    if (!this.typeKnown) {
      const next = this.varint.read(bytes, position, end)
      if (next === -1) return end
      this.type = this.varint.value
      this.typeKnown = true
      position = next
    }
    const next = this.varint.read(bytes, position, end)
    if (next === -1) return end
    this.length = this.varint.value
    this.remaining = this.length
    this.typeKnown = false
    this.inPayload = true
    return next
  }

  /** `count` payload bytes have been taken; the frame ends with the last. */
  took(count: number): void {
    this.remaining -= count
    if (this.remaining === 0) this.inPayload = false
  }
}
