import { H3ErrorCode, connectionError } from './errors.ts'

/**
 * Memory of field sections that wait for the peer's encoder stream (RFC 9204 §2.2.1). How many streams may wait is the QPACK decoder's to
 * know; here is how many bytes: what is held has left the stream's flow control window, so it needs a bound of its own.
 */

/** Sections of the largest size accepted that may wait at a time; smaller ones, as many as the bytes allow. */
export const BLOCKED_SECTIONS_OF_FULL_SIZE = 16

export class BlockedSections {
  /** Bytes held now. */
  size: number
  private readonly limit: number
  private readonly sections: Map<number, Uint8Array>

  constructor(maxFieldSectionSize: number) {
    this.size = 0
    this.limit = maxFieldSectionSize * BLOCKED_SECTIONS_OF_FULL_SIZE
    this.sections = new Map()
  }

  /** Keeps a copy of bytes[start, end), the section on which the stream is blocked. Throws H3Error when it is too much. */
  hold(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    if (this.size + length > this.limit) {
      throw connectionError(H3ErrorCode.excessiveLoad, `${this.size + length} bytes of field sections wait for the QPACK encoder stream`)
    }
    this.size += length
    // The view may be a small part of something large.
    this.sections.set(streamId, bytes.slice(start, end))
  }

  /** Gives the section back and forgets it. */
  take(streamId: number): Uint8Array | null {
    const bytes = this.sections.get(streamId) ?? null
    if (bytes === null) return null
    this.sections.delete(streamId)
    this.size -= bytes.length
    return bytes
  }
}
