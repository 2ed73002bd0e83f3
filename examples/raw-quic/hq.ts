// HTTP/0.9 over QUIC streams, ALPN "hq-interop": the protocol interoperability tests of the transport use. One request per stream,
// `GET /path` and a line end; the answer is the file's bytes and the end of the stream.

import type { ApplicationContext, ApplicationOverQuic, TransportEvent } from '@quicwire/driver'

/** Longest request line taken, bytes. */
const MAX_REQUEST = 4096

abstract class HqApplication implements ApplicationOverQuic {
  protected context: ApplicationContext | null
  /** What is left to write on a stream. */
  private readonly outgoing: Map<number, Uint8Array>

  constructor() {
    this.context = null
    this.outgoing = new Map()
  }

  protected abstract onData(streamId: number, data: Uint8Array, fin: boolean): void
  protected abstract onReset(streamId: number): void
  protected onReady(): void {
    // Servers wait for requests.
  }

  onConnEstablished(context: ApplicationContext): void {
    this.context = context
    this.onReady()
  }

  shouldAct(): boolean {
    return this.context !== null
  }

  onTransportEvent({ connection }: ApplicationContext, event: TransportEvent): void {
    switch (event.kind) {
      case 'stream-readable': {
        const id = event.streamId
        for (let data = connection.streamPeek(id); data !== null; data = connection.streamPeek(id)) {
          // A view of the packet: kept by whoever keeps it.
          connection.streamConsume(id, data.length)
          this.onData(id, data, false)
        }
        if (connection.streamReceiveState(id) === 1) this.onData(id, new Uint8Array(0), true)
        return
      }
      case 'stream-writable':
        this.flush(event.streamId)
        return
      case 'stream-reset':
        this.onReset(event.streamId)
        return
      case 'stream-stopped':
      case 'stream-closed':
        this.outgoing.delete(event.streamId)
        return
      case 'streams-available':
        this.onReady()
        return
      default:
    }
  }

  /** The whole of what a stream says; it ends with it. */
  protected write(streamId: number, data: Uint8Array): void {
    this.outgoing.set(streamId, data)
    this.flush(streamId)
  }

  private flush(streamId: number): void {
    const data = this.outgoing.get(streamId)
    if (data === undefined || this.context === null) return
    const written = this.context.connection.streamWrite(streamId, data, true)
    if (written < 0 || written === data.length) this.outgoing.delete(streamId)
    else this.outgoing.set(streamId, data.subarray(written))
  }

  processReads(): void {
    // Everything comes with events.
  }

  processWrites(): void {
    // The same.
  }

  waitForData(): boolean {
    return false
  }

  nextDeadline(): number {
    return Infinity
  }

  onDeadline(): void {
    // There is none.
  }

  onShutdown({ connection, now }: ApplicationContext): void {
    connection.close(0, '', now)
  }

  onConnClose(): void {
    this.context = null
    this.outgoing.clear()
  }
}

export class HqServer extends HqApplication {
  private readonly files: (path: string) => Uint8Array | null
  private readonly requests: Map<number, string>

  /** `files`: null for what there is not; the stream is reset then. */
  constructor(files: (path: string) => Uint8Array | null) {
    super()
    this.files = files
    this.requests = new Map()
  }

  protected onData(streamId: number, data: Uint8Array, fin: boolean): void {
    const line = (this.requests.get(streamId) ?? '') + Buffer.from(data).toString('latin1')
    this.requests.set(streamId, line)
    if (!fin && line.length <= MAX_REQUEST) return
    if (!fin) this.context?.connection.streamStop(streamId, 1)
    this.requests.delete(streamId)
    const path = /^GET (\/\S*)\s*$/.exec(line)?.[1]
    const file = path === undefined ? null : this.files(path)
    if (file === null) this.context?.connection.streamReset(streamId, 1)
    else this.write(streamId, file.slice())
  }

  protected onReset(streamId: number): void {
    this.requests.delete(streamId)
  }
}

interface Waiting {
  readonly path: string
  readonly parts: Uint8Array[]
  resolve(body: Uint8Array): void
  reject(error: Error): void
}

export class HqClient extends HqApplication {
  private readonly queued: Waiting[]
  private readonly waiting: Map<number, Waiting>

  constructor() {
    super()
    this.queued = []
    this.waiting = new Map()
  }

  get(path: string): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.queued.push({ path, parts: [], resolve, reject })
      this.context?.wake()
    })
  }

  override waitForData(): boolean {
    const before = this.queued.length
    this.onReady()
    return this.queued.length < before
  }

  protected override onReady(): void {
    while (this.queued.length > 0 && this.context !== null) {
      const streamId = this.context.connection.openStream(true)
      // The server's limit: it says when there is more.
      if (streamId < 0) return
      const [request] = this.queued.splice(0, 1)
      this.waiting.set(streamId, request!)
      this.write(streamId, new TextEncoder().encode(`GET ${request!.path}\r\n`))
    }
  }

  protected onData(streamId: number, data: Uint8Array, fin: boolean): void {
    const request = this.waiting.get(streamId)
    if (request === undefined) return
    if (data.length > 0) request.parts.push(data)
    if (!fin) return
    this.waiting.delete(streamId)
    request.resolve(Buffer.concat(request.parts))
  }

  protected onReset(streamId: number): void {
    this.waiting.get(streamId)?.reject(new Error('there is no such file'))
    this.waiting.delete(streamId)
  }

  override onConnClose(): void {
    super.onConnClose()
    for (const request of [...this.queued.splice(0), ...this.waiting.values()]) request.reject(new Error('the connection is closed'))
    this.waiting.clear()
  }
}
