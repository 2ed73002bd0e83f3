// The application of one end of a simulation: opens its planned streams as limits allow, writes and reads with recognisable
// bytes, replies, and knows when everything that was planned has come to its end.

import type { Connection } from '../../connection/connection.ts'
import type { ConnectionEvent } from '../../connection/events.ts'
import { ReceiveState } from '../../stream/streams.ts'
import { streamIdOf } from '../../stream/stream-id.ts'
import type { Role } from '../../stream/stream-id.ts'
import type { PlannedSide, PlannedStream } from './plan.ts'

/** Bytes written at once. */
const CHUNK = 4096

/** The byte that `role` sends at an offset of a stream. */
function byteAt(streamId: number, role: Role, offset: number): number {
  return (offset * 31 + (offset >> 8) * 7 + streamId * 13 + (role === 'client' ? 0 : 101)) & 0xff
}

interface Outgoing {
  readonly size: number
  readonly resetAt: number
  written: number
  ended: boolean
}

interface Incoming {
  readonly size: number
  readonly resetAt: number
  readonly pause: number
  read: number
  ended: boolean
  pausing: boolean
}

export class Transfer {
  readonly role: Role
  /** Stream bytes checked so far. */
  bytesRead: number
  /** Streams that reported 'stream-closed'. */
  closed: number
  datagramsReceived: number
  connection: Connection | null
  private readonly plan: PlannedSide
  private readonly peerPlan: PlannedSide
  private readonly outgoing: Map<number, Outgoing>
  private readonly incoming: Map<number, Incoming>
  /** Planned streams not opened yet, per kind. */
  private readonly waiting: { readonly bidi: PlannedStream[]; readonly uni: PlannedStream[] }
  private readonly later: (delay: number, action: () => void) => void

  /** `later`: runs an action some virtual ms from now. */
  constructor(role: Role, plan: PlannedSide, peerPlan: PlannedSide, later: (delay: number, action: () => void) => void) {
    this.role = role
    this.bytesRead = 0
    this.closed = 0
    this.datagramsReceived = 0
    this.connection = null
    this.plan = plan
    this.peerPlan = peerPlan
    this.outgoing = new Map()
    this.incoming = new Map()
    this.waiting = {
      bidi: plan.streams.filter((stream) => stream.bidirectional),
      uni: plan.streams.filter((stream) => !stream.bidirectional),
    }
    this.later = later
    this.expectPeerStreams()
  }

  /** Everything planned was sent, read and closed. */
  isDone(): boolean {
    return this.closed === this.plan.streams.length + this.peerPlan.streams.length
  }

  /** For the report of a run that came to nothing. */
  describe(): string {
    const out = [...this.outgoing].filter(([, half]) => !half.ended).map(([id, half]) => `${id}: ${half.written} of ${half.size} written`)
    const into = [...this.incoming].filter(([, half]) => !half.ended).map(([id, half]) => `${id}: ${half.read} of ${half.size} read`)
    const streams = `${this.closed} of ${this.plan.streams.length + this.peerPlan.streams.length} streams closed`
    return `${this.role}: ${streams}; ${[...out, ...into].join(', ')}`
  }

  onEvent(event: ConnectionEvent): void {
    const connection = this.connection!
    switch (event.kind) {
      case 'established':
        for (const [index, size] of this.plan.datagrams.entries()) connection.datagramSend(datagramOf(this.role, index, size))
        this.openStreams()
        return
      case 'streams-available':
        this.openStreams()
        return
      case 'stream-opened':
        if (event.streamId % 4 < 2) this.write(event.streamId)
        return
      case 'stream-writable':
        this.write(event.streamId)
        return
      case 'stream-readable':
        this.onReadable(event.streamId)
        return
      case 'stream-reset':
        this.onReset(event.streamId)
        return
      case 'stream-closed':
        this.onClosed(event.streamId)
        return
      case 'datagram':
        this.readDatagrams()
        return
      default:
    }
  }

  /** Streams of a type are opened in order, so that their IDs, and what comes on them, are known in advance. */
  private expectPeerStreams(): void {
    const peer: Role = this.role === 'client' ? 'server' : 'client'
    const opened = { bidi: 0, uni: 0 }
    for (const stream of this.peerPlan.streams) {
      const index = stream.bidirectional ? opened.bidi++ : opened.uni++
      const id = streamIdOf(index, peer, stream.bidirectional)
      this.incoming.set(id, incoming(stream.size, stream.resetAt, stream.readPause))
      if (stream.bidirectional) this.outgoing.set(id, { size: stream.replySize, resetAt: -1, written: 0, ended: false })
    }
  }

  private openStreams(): void {
    for (const bidirectional of [true, false]) {
      const waiting = bidirectional ? this.waiting.bidi : this.waiting.uni
      while (waiting.length > 0) {
        const id = this.connection!.openStream(bidirectional)
        if (id < 0) break
        const [stream] = waiting.splice(0, 1)
        this.outgoing.set(id, { size: stream!.size, resetAt: stream!.resetAt, written: 0, ended: false })
        if (bidirectional) this.incoming.set(id, incoming(stream!.replySize, -1, stream!.readPause))
        this.write(id)
      }
    }
  }

  private write(id: number): void {
    const half = this.outgoing.get(id)
    if (half === undefined) throw new Error(`stream ${id} was not planned`)
    while (!half.ended) {
      const length = Math.min(CHUNK, half.size - half.written)
      const data = new Uint8Array(length)
      for (let i = 0; i < length; i += 1) data[i] = byteAt(id, this.role, half.written + i)
      const last = half.written + length === half.size
      const accepted = this.connection!.streamWrite(id, data, last && half.resetAt < 0)
      if (accepted < 0) {
        if (this.connection!.closeReason() !== null) return
        throw new Error(`stream ${id} refuses to be written`)
      }
      half.written += accepted
      if (accepted < length) return
      half.ended = last
      if (last && half.resetAt >= 0 && !this.connection!.streamResetAt(id, id, half.resetAt)) throw new Error(`stream ${id} cannot be reset`)
    }
  }

  private onReadable(id: number): void {
    const half = this.incoming.get(id)
    if (half === undefined) throw new Error(`data on stream ${id}, which was not planned`)
    if (half.pause === 0) return this.read(id, half)
    if (half.pausing) return
    half.pausing = true
    this.later(half.pause, () => {
      half.pausing = false
      this.read(id, half)
    })
  }

  private read(id: number, half: Incoming): void {
    const connection = this.connection!
    const peer: Role = this.role === 'client' ? 'server' : 'client'
    for (let piece = connection.streamPeek(id); piece !== null; piece = connection.streamPeek(id)) {
      for (let i = 0; i < piece.length; i += 1) {
        if (piece[i] !== byteAt(id, peer, half.read + i)) throw new Error(`stream ${id}: byte ${half.read + i} differs`)
      }
      half.read += piece.length
      this.bytesRead += piece.length
      connection.streamConsume(id, piece.length)
    }
    if (connection.streamReceiveState(id) !== ReceiveState.finished) return
    if (half.read !== half.size) throw new Error(`stream ${id} ended after ${half.read} of ${half.size} bytes`)
    half.ended = true
  }

  private onReset(id: number): void {
    const half = this.incoming.get(id)!
    if (half.resetAt < 0) throw new Error(`stream ${id} was reset, which was not planned`)
    if (half.read < half.resetAt || half.read > half.size) throw new Error(`stream ${id} was reset after ${half.read} bytes; promised: ${half.resetAt}`)
    half.ended = true
  }

  private onClosed(id: number): void {
    const [out, into] = [this.outgoing.get(id), this.incoming.get(id)]
    // The end of an empty stream needs no reading, but is still to be looked at.
    if (into?.pausing === true) this.read(id, into)
    if (out?.ended === false || into?.ended === false) throw new Error(`stream ${id} closed before its end`)
    this.closed += 1
  }

  private readDatagrams(): void {
    const peer: Role = this.role === 'client' ? 'server' : 'client'
    for (let data = this.connection!.datagramReceive(); data !== null; data = this.connection!.datagramReceive()) {
      this.datagramsReceived += 1
      const bytes = data
      const index = bytes[0] ?? 0
      const expected = datagramOf(peer, index, this.peerPlan.datagrams[index] ?? -1)
      if (bytes.length !== expected.length || bytes.some((byte, at) => byte !== expected[at])) throw new Error('a datagram that nobody sent')
      if (this.datagramsReceived > this.peerPlan.datagrams.length) throw new Error('more datagrams than were sent')
    }
  }
}

function incoming(size: number, resetAt: number, pause: number): Incoming {
  return { size, resetAt, pause, read: 0, ended: false, pausing: false }
}

/** At least one byte, which says which it is. */
function datagramOf(role: Role, index: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size + 1)
  for (let i = 1; i < bytes.length; i += 1) bytes[i] = byteAt(index, role, i)
  bytes[0] = index
  return bytes
}
