// Serves the files of a folder over hq-interop. What there is not is answered with RESET_STREAM and STOP_SENDING.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { HQ_ERROR, HqApplication, type HqConnection } from './hq-application.ts'
import { fileOf, pathOf } from './request-line.ts'

/** Bytes read from a file at once. */
const PIECE = 65_536

interface Answer {
  readonly descriptor: number
  readonly size: number
  offset: number
}

export class HqServer extends HqApplication {
  private readonly root: string
  /** What has come of a request. */
  private readonly requests: Map<number, string>
  private readonly answers: Map<number, Answer>

  constructor(root: string) {
    super()
    this.root = root
    this.requests = new Map()
    this.answers = new Map()
  }

  /** Reading a file again is harmless: replays may be answered. */
  startsInEarlyData(): boolean {
    return true
  }

  protected onData(connection: HqConnection, streamId: number, data: Uint8Array): void {
    this.onRequest(connection, streamId, Buffer.from(data).toString('latin1'), false)
  }

  protected onEnd(connection: HqConnection, streamId: number): void {
    this.onRequest(connection, streamId, '', true)
  }

  private onRequest(connection: HqConnection, streamId: number, more: string, ended: boolean): void {
    // What follows a request that has been answered is nobody's.
    if (this.answers.has(streamId) || (streamId & 3) !== 0 || connection.streamCapacity(streamId) < 0) return
    const text = (this.requests.get(streamId) ?? '') + more
    const path = pathOf(text, ended)
    if (path === 'more') {
      this.requests.set(streamId, text)
      return
    }
    this.requests.delete(streamId)
    const answer = path === null ? null : this.open(path)
    if (answer === null) {
      connection.streamReset(streamId, HQ_ERROR)
      if (!ended) connection.streamStop(streamId, HQ_ERROR)
      return
    }
    this.answers.set(streamId, answer)
    this.onWritable(connection, streamId)
  }

  private open(path: string): Answer | null {
    const file = fileOf(this.root, path)
    if (file === null) return null
    try {
      const descriptor = openSync(file, 'r')
      const stat = fstatSync(descriptor)
      if (stat.isFile()) return { descriptor, size: stat.size, offset: 0 }
      closeSync(descriptor)
    } catch {
      // There is no such file for us.
    }
    return null
  }

  protected onWritable(connection: HqConnection, streamId: number): void {
    const answer = this.answers.get(streamId)
    if (answer === undefined) return
    for (;;) {
      // At least a byte: a write that is refused is what asks for the next 'stream-writable'.
      const room = Math.max(1, Math.min(PIECE, connection.streamCapacity(streamId)))
      const piece = new Uint8Array(Math.min(room, answer.size - answer.offset))
      if (readSync(answer.descriptor, piece, 0, piece.length, answer.offset) < piece.length) {
        connection.streamReset(streamId, HQ_ERROR)
        this.onGone(streamId)
        return
      }
      const last = answer.offset + piece.length === answer.size
      const written = connection.streamWrite(streamId, piece, last)
      if (written > 0) answer.offset += written
      if (written < 0 || (last && written === piece.length)) {
        this.onGone(streamId)
        return
      }
      if (written < piece.length) return
    }
  }

  protected onReset(streamId: number): void {
    this.requests.delete(streamId)
  }

  protected onGone(streamId: number): void {
    this.requests.delete(streamId)
    const answer = this.answers.get(streamId)
    if (answer === undefined) return
    this.answers.delete(streamId)
    closeSync(answer.descriptor)
  }

  override onConnClose(): void {
    super.onConnClose()
    for (const streamId of this.answers.keys()) this.onGone(streamId)
  }
}
