import type { H3StreamEvent, H3Transport } from '../src/index.ts'

/** Two transports in memory, joined. Bytes move when `deliver` is called, in pieces of a chosen size. The rules are those of quic's Streams. */

type Code = number | bigint

interface Half {
  chunks: Uint8Array[]
  size: number
}

class FakeStream {
  readonly id: number
  readonly out: Half = { chunks: [], size: 0 }
  outFin = false
  finSent = false
  resetCode: Code | null = null
  resetSent = false
  wantsRoom = false
  readonly in: Half = { chunks: [], size: 0 }
  inFin = false
  inReset: Code | null = null
  stopped = false
  stopCode: Code | null = null
  priority = 127
  incremental = false
  /** Queued once both halves are over; when it has been taken the stream is gone. */
  closed: H3StreamEvent | null = null

  constructor(id: number) {
    this.id = id
  }
  writable(): boolean {
    return !this.outFin && this.resetCode === null
  }
}

export class FakeTransport implements H3Transport {
  readonly role: 'client' | 'server'
  readonly events: H3StreamEvent[] = []
  readonly streams = new Map<number, FakeStream>()
  peer!: FakeTransport
  /** Unsent bytes a stream takes. */
  bufferLimit = 1 << 20
  limits = { bidi: 100, uni: 100 }
  opened = { bidi: 0, uni: 0 }
  datagramLimit = 0
  private readonly datagrams: Uint8Array[] = []

  constructor(role: 'client' | 'server') {
    this.role = role
  }

  private idOf(bidirectional: boolean, index: number): number {
    return index * 4 + (bidirectional ? 0 : 2) + (this.role === 'client' ? 0 : 1)
  }
  /** Undefined when it never was, or is gone. */
  private find(id: number): FakeStream | undefined {
    const stream = this.streams.get(id)
    return stream === undefined || stream.closed === null || this.events.includes(stream.closed) ? stream : undefined
  }
  openStream(bidirectional: boolean): number {
    const kind = bidirectional ? 'bidi' : 'uni'
    if (this.opened[kind] >= this.limits[kind]) return -1
    const id = this.idOf(bidirectional, this.opened[kind]++)
    this.streams.set(id, new FakeStream(id))
    return id
  }
  streamWrite(id: number, data: Uint8Array, fin: boolean): number {
    const stream = this.find(id)
    if (stream === undefined || !stream.writable()) return -1
    const accepted = Math.min(data.length, Math.max(0, this.bufferLimit - stream.out.size))
    if (accepted > 0) stream.out.chunks.push(data.subarray(0, accepted))
    stream.out.size += accepted
    stream.wantsRoom = accepted < data.length
    if (fin && accepted === data.length) stream.outFin = true
    return accepted
  }
  streamCapacity(id: number): number {
    const stream = this.find(id)
    return stream === undefined || !stream.writable() ? -1 : Math.max(0, this.bufferLimit - stream.out.size)
  }
  streamPeek(id: number): Uint8Array | null {
    const stream = this.find(id)
    return stream === undefined || stream.stopped ? null : (stream.in.chunks[0] ?? null)
  }
  streamConsume(id: number, length: number): void {
    const stream = this.find(id)
    if (stream === undefined) return
    if (length > stream.in.size) throw new RangeError('consume: more than is readable')
    stream.in.size -= length
    while (length > 0) {
      const head = stream.in.chunks[0]!
      if (head.length > length) {
        stream.in.chunks[0] = head.subarray(length)
        return
      }
      length -= head.length
      stream.in.chunks.shift()
    }
    this.closeIfOver(stream)
  }
  streamReceiveState(id: number): number {
    const stream = this.find(id)
    if (stream === undefined) return 3
    if (stream.inReset !== null) return 2
    return stream.inFin && stream.in.size === 0 ? 1 : 0
  }
  streamResetCode(id: number): Code {
    return this.find(id)?.inReset ?? -1
  }
  streamStopCode(id: number): Code {
    return this.find(id)?.stopCode ?? -1
  }
  streamReset(id: number, code: Code): void {
    const stream = this.find(id)
    if (stream === undefined || stream.resetCode !== null || stream.finSent) return
    stream.resetCode = code
    stream.out.chunks.length = 0
    stream.out.size = 0
  }
  streamStop(id: number, code: Code): void {
    const stream = this.find(id)
    if (stream === undefined || stream.stopped || this.streamReceiveState(id) !== 0) return
    stream.stopped = true
    const wasComplete = stream.inFin
    stream.in.chunks.length = 0
    stream.in.size = 0
    if (wasComplete) return
    const other = this.peer.streams.get(id)
    if (other === undefined || other.resetCode !== null || other.stopCode !== null) return
    other.stopCode = code
    this.peer.streamReset(id, code)
    this.peer.events.push({ kind: 'stream-stopped', streamId: id, code })
  }
  streamSetPriority(id: number, urgency: number, incremental: boolean): void {
    const stream = this.find(id)
    if (stream === undefined) return
    stream.priority = urgency
    stream.incremental = incremental
  }
  streamsLeft(bidirectional: boolean): number {
    return bidirectional ? this.limits.bidi - this.opened.bidi : this.limits.uni - this.opened.uni
  }
  peerStreamLimit(bidirectional: boolean): number {
    return bidirectional ? this.peer.limits.bidi : this.peer.limits.uni
  }
  datagramSend(data: Uint8Array): boolean {
    if (data.length > this.datagramLimit) return false
    this.peer.datagrams.push(data)
    return true
  }
  datagramReceive(): Uint8Array | null {
    return this.datagrams.shift() ?? null
  }
  datagramMaxSize(): number {
    return this.datagramLimit
  }
  hasDatagrams(): boolean {
    return this.datagrams.length > 0
  }

  /** Moves everything that waits to the peer, in pieces of at most `piece` bytes; each piece is an event of its own. */
  deliver(piece: number, afterEach: () => void): boolean {
    let moved = false
    for (const stream of this.streams.values()) {
      const target = this.peer.accept(stream.id)
      while (stream.out.chunks.length > 0) {
        const head = stream.out.chunks[0]!
        const part = head.slice(0, piece)
        if (part.length === head.length) stream.out.chunks.shift()
        else stream.out.chunks[0] = head.subarray(part.length)
        stream.out.size -= part.length
        moved = true
        this.peer.arrive(target, part)
        afterEach()
      }
      if (stream.wantsRoom && stream.out.size < this.bufferLimit && stream.writable()) {
        stream.wantsRoom = false
        this.events.push({ kind: 'stream-writable', streamId: stream.id })
        moved = true
      }
      if (stream.outFin && !stream.finSent && stream.resetCode === null) {
        stream.finSent = true
        moved = true
        if (!target.stopped) {
          target.inFin = true
          this.peer.events.push({ kind: 'stream-readable', streamId: stream.id })
        } else target.inFin = true
        afterEach()
      }
      if (stream.resetCode !== null && !stream.resetSent) {
        stream.resetSent = true
        moved = true
        if (!target.inFin || target.in.size > 0) {
          target.inReset = stream.resetCode
          target.in.chunks.length = 0
          target.in.size = 0
          if (!target.stopped) this.peer.events.push({ kind: 'stream-reset', streamId: stream.id, code: stream.resetCode })
        }
        afterEach()
      }
      this.closeIfOver(stream)
      this.peer.closeIfOver(target)
    }
    return moved
  }
  private closeIfOver(stream: FakeStream): void {
    if (stream.closed !== null) return
    const { id } = stream
    const both = (id & 2) === 0
    const own = (id & 1) === (this.role === 'client' ? 0 : 1)
    if ((both || own) && !stream.finSent && !stream.resetSent) return
    if ((both || !own) && stream.inReset === null && !(stream.inFin && stream.in.size === 0)) return
    stream.closed = { kind: 'stream-closed', streamId: id }
    this.events.push(stream.closed)
  }
  private accept(id: number): FakeStream {
    let stream = this.streams.get(id)
    if (stream === undefined) {
      stream = new FakeStream(id)
      this.streams.set(id, stream)
      this.events.push({ kind: 'stream-opened', streamId: id })
    }
    return stream
  }
  private arrive(stream: FakeStream, bytes: Uint8Array): void {
    if (stream.stopped || bytes.length === 0) return
    stream.in.chunks.push(bytes)
    stream.in.size += bytes.length
    this.events.push({ kind: 'stream-readable', streamId: stream.id })
  }
  raise(kind: 'bidi' | 'uni', by: number): void {
    this.limits[kind] += by
    this.events.push({ kind: 'streams-available', streamId: -1 })
  }
}

export function transportPair(): { client: FakeTransport; server: FakeTransport } {
  const client = new FakeTransport('client')
  const server = new FakeTransport('server')
  client.peer = server
  server.peer = client
  return { client, server }
}
