import { H3ErrorCode, streamError } from '../errors.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { PayloadCollector } from '../wire/payload-collector.ts'
import { CapsuleType } from './capsule.ts'

export interface Capsule {
  readonly type: number
  /** A view of the bytes given to `feed` when the capsule came in one piece; valid until the next `next` or `feed`. */
  readonly value: Uint8Array
}

export interface CapsuleReaderOptions {
  /** Types that are handed out. All others are skipped without being kept (RFC 9297 §3.2). */
  readonly types: readonly number[]
  /**
   * Largest value handed out, in bytes; no more than that is ever kept. Default 65536. A larger DATAGRAM capsule is skipped (RFC 9297
   * §3.5), a larger one of another type is an error: it may have been meant to change state.
   */
  readonly maxValueLength?: number | undefined
  /** A DATAGRAM capsule that is too large is an error as well (RFC 9298 §5). Default false. */
  readonly refuseLargeDatagrams?: boolean | undefined
}

export const DEFAULT_MAX_CAPSULE_VALUE = 65536

/**
 * Reads capsules from the body of a request that uses the Capsule Protocol (RFC 9297 §3), however it is cut. `feed` a piece, take `next`
 * until it is null, and `finish` at the end of the body. An H3Error that is thrown says with `wireCode` how to abort the stream (§3.3).
 */
export class CapsuleReader {
  private readonly types: readonly number[]
  private readonly maxValueLength: number
  private readonly skipsLargeDatagrams: boolean
  // Capsules are laid out like frames: type, length, value.
  private readonly header: FrameReader
  private collector: PayloadCollector
  private input: Uint8Array
  private position: number
  private wanted: boolean

  constructor(options: CapsuleReaderOptions) {
    this.types = options.types
    this.maxValueLength = options.maxValueLength ?? DEFAULT_MAX_CAPSULE_VALUE
    this.skipsLargeDatagrams = options.refuseLargeDatagrams !== true
    this.header = new FrameReader()
    this.collector = new PayloadCollector()
    this.input = NONE
    this.position = 0
    this.wanted = false
  }

  /** The next piece of the body. What was given before must have been taken with `next` until null. */
  feed(bytes: Uint8Array): void {
    if (this.position < this.input.length) throw new RangeError('feed: take the capsules of the last piece with next() first')
    this.input = bytes
    this.position = 0
  }

  /** The next complete capsule of a wanted type; null: `feed` more. Throws H3Error. */
  next(): Capsule | null {
    const { header, input } = this
    while (this.position < input.length) {
      if (!header.inPayload) {
        this.position = header.readHeader(input, this.position, input.length)
        if (!header.inPayload) return null
        this.wanted = this.wants(header.type, header.length)
        if (header.remaining > 0) continue
      }
      const end = Math.min(input.length, this.position + header.remaining)
      const complete = this.wanted && this.collector.add(input, this.position, end, header.remaining)
      header.took(end - this.position)
      this.position = end
      if (complete) return { type: header.type, value: this.collector.bytes.subarray(this.collector.start, this.collector.end) }
    }
    this.input = NONE
    this.position = 0
    return null
  }

  /** The body has ended cleanly. Throws H3Error when the last capsule is cut short (RFC 9297 §3.3: malformed). */
  finish(): void {
    if (!this.header.atBoundary) throw streamError(H3ErrorCode.messageError, 'the stream ends inside a capsule (RFC 9297 §3.3)')
  }

  private wants(type: number, length: number): boolean {
    if (!this.types.includes(type)) return false
    if (length <= this.maxValueLength) return true
    if (type === CapsuleType.datagram && this.skipsLargeDatagrams) return false
    const name = `capsule 0x${type.toString(16)}`
    throw streamError(H3ErrorCode.excessiveLoad, `${name} of ${length} bytes, at most ${this.maxValueLength} are taken`)
  }
}

const NONE = new Uint8Array(0)
