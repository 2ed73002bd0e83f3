// Downloads over hq-interop, each into a file that carries the last part of its path as its name.

import { closeSync, openSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { ApplicationContext, TransportEvent } from '@quicwire/driver'
import { HqApplication, type HqConnection } from './hq-application.ts'

interface Download {
  readonly path: string
  /** -1 until the first byte has come. */
  descriptor: number
  resolve(): void
  reject(error: Error): void
}

export interface HqClientOptions {
  /** Where the files go. */
  readonly directory: string
  /** Requests go out in 0-RTT where there is a session for it. */
  readonly early?: boolean
  /** One key update as soon as the handshake is confirmed. */
  readonly updateKeys?: boolean
}

export class HqClient extends HqApplication {
  /** Resolves when the handshake is confirmed; never, when it never is. */
  readonly confirmed: Promise<void>
  private readonly options: HqClientOptions
  private queued: Download[]
  private readonly running: Map<number, Download>
  private settleConfirmed!: () => void

  constructor(options: HqClientOptions) {
    super()
    this.options = options
    this.queued = []
    this.running = new Map()
    this.confirmed = new Promise((resolve) => {
      this.settleConfirmed = resolve
    })
  }

  /** Rejects when the server refuses, or the connection ends before the file does. */
  download(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.queued.push({ path, descriptor: -1, resolve, reject })
      this.context?.wake()
    })
  }

  startsInEarlyData(): boolean {
    return this.options.early === true
  }

  override onTransportEvent(context: ApplicationContext, event: TransportEvent): void {
    if (event.kind === 'confirmed') {
      if (this.options.updateKeys === true) context.connection.updateKeys()
      this.settleConfirmed()
    } else if (event.kind === 'early-data' && !event.accepted && !event.streamsKept) {
      this.queued = [...this.running.values(), ...this.queued]
      this.running.clear()
      this.onReady()
    } else super.onTransportEvent(context, event)
  }

  override waitForData(): boolean {
    const before = this.queued.length
    this.onReady()
    return this.queued.length < before
  }

  protected override onReady(): void {
    const connection = this.context?.connection
    while (this.queued.length > 0 && connection !== undefined) {
      const streamId = connection.openStream(true)
      // The server's limit: 'streams-available' follows.
      if (streamId < 0) return
      const download = this.queued.shift()!
      this.running.set(streamId, download)
      // Shorter than any send buffer.
      connection.streamWrite(streamId, new TextEncoder().encode(`GET ${download.path}\r\n`), true)
    }
  }

  protected onData(_connection: HqConnection, streamId: number, data: Uint8Array): void {
    const download = this.running.get(streamId)
    if (download !== undefined) this.save(download, data)
  }

  private save(download: Download, data: Uint8Array): void {
    if (download.descriptor < 0) download.descriptor = openSync(join(this.options.directory, basename(download.path)), 'w')
    for (let written = 0; written < data.length; ) written += writeSync(download.descriptor, data, written)
  }

  protected onEnd(_connection: HqConnection, streamId: number): void {
    const download = this.running.get(streamId)
    if (download === undefined) return
    this.running.delete(streamId)
    this.save(download, new Uint8Array(0))
    closeSync(download.descriptor)
    download.resolve()
  }

  protected onWritable(): void {
    // Requests are written whole.
  }

  protected onGone(): void {
    // A server may want no more of a request and answer it all the same.
  }

  protected onReset(streamId: number): void {
    const download = this.running.get(streamId)
    if (download === undefined) return
    this.running.delete(streamId)
    fail(download, 'the server refused it')
  }

  override onConnClose(): void {
    super.onConnClose()
    for (const download of [...this.running.values(), ...this.queued]) fail(download, 'the connection ended before it was there')
    this.running.clear()
    this.queued = []
  }
}

function fail(download: Download, why: string): void {
  if (download.descriptor >= 0) closeSync(download.descriptor)
  download.reject(new Error(`${download.path}: ${why}`))
}
