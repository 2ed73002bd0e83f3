// Part of an open file as a byte stream: reads one piece at a time and only when asked, so a slow reader holds no more
// than one piece in memory. Closes the file at the end, on error, and when the reader goes away.

import type { FileHandle } from 'node:fs/promises'
import type { ByteRange } from './byte-range.ts'

const PIECE = 64 * 1024

export class FileBody implements AsyncIterable<Uint8Array> {
  private readonly file: FileHandle
  private readonly end: number
  private position: number
  private closed: boolean

  /** Owns `file` from now on. */
  constructor(file: FileHandle, range: ByteRange) {
    this.file = file
    this.position = range.start
    this.end = range.end
    this.closed = false
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        const piece = await this.read()
        return piece === null ? { done: true, value: undefined } : { done: false, value: piece }
      },
      return: async () => {
        await this.close()
        return { done: true, value: undefined }
      },
    }
  }

  /** For a body that is never iterated. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.file.close()
  }

  private async read(): Promise<Uint8Array | null> {
    if (this.closed) return null
    const wanted = Math.min(PIECE, this.end - this.position)
    if (wanted === 0) {
      await this.close()
      return null
    }
    try {
      // The reader keeps each piece until it is acknowledged: a fresh buffer every time.
      const { bytesRead, buffer } = await this.file.read(new Uint8Array(wanted), 0, wanted, this.position)
      if (bytesRead === 0) throw new Error('the file shrank while it was being sent')
      this.position += bytesRead
      return buffer.subarray(0, bytesRead)
    } catch (error) {
      await this.close()
      throw error
    }
  }
}
