// One tunnel over one request stream, either role: HTTP Datagrams in QUIC DATAGRAM frames, or in DATAGRAM capsules where the peers have not
// agreed on those, and the other capsules on the stream (RFC 9297 §3). The tunnel lives as long as the stream: a FIN from either side is
// answered with a FIN, anything else is an abort.

import { CapsuleReader, CapsuleType, encodeCapsule, H3Error, H3ErrorCode } from '@quicwire/h3'
import type { Waker } from '../../channel/waker.ts'
import type { InboundDatagramStream, InboundFrameStream, OutboundDatagramSender, OutboundFrameSender } from '../../h3/frames.ts'
import { EMPTY_BODY } from '../../h3/frames.ts'
import { MasqueError } from '../errors.ts'

/** A request stream with its flow, as the driver's events give them. */
export interface TunnelStream {
  readonly streamId: number
  readonly send: OutboundFrameSender
  readonly recv: InboundFrameStream
  /** Null when there is none: all datagrams travel in capsules. */
  readonly flow: TunnelFlow | null
  /** Resets and stops the stream. */
  abort(code: number): void
}

export interface TunnelFlow {
  readonly flowId: number
  readonly send: OutboundDatagramSender
  readonly recv: InboundDatagramStream
  readonly maxDatagramSize: () => number
}

export interface TunnelHandler {
  /** Capsule types for `onCapsule`, besides DATAGRAM. */
  readonly capsuleTypes: readonly number[]
  /** Context ID and payload; the handler's from here on. May throw H3Error: the stream is then aborted. */
  onDatagram(datagram: Uint8Array): void
  /** `value` is the handler's from here on. May throw H3Error. */
  onCapsule(type: number, value: Uint8Array): void
  /** Once. Null after an orderly end by either side. */
  onClosed(error: MasqueError | null): void
}

/** 'too-large': more than maxDatagramSize. 'dropped': a queue is full. */
export type DatagramOutcome = 'sent' | 'too-large' | 'dropped' | 'closed'

/** What arrives before start() is kept up to this; later datagrams are dropped (RFC 9298 §5). */
export const MAX_EARLY_DATAGRAMS = 64
export const MAX_EARLY_BYTES = 65_536
/** DATAGRAM capsules that may wait for the stream's flow control, in bytes; more are dropped, as a network would. */
export const MAX_WAITING_CAPSULE_BYTES = 262_144
/** Largest HTTP Datagram: a Context ID of any length and the largest UDP payload (RFC 9298 §5), or the largest IP packet. */
export const MAX_DATAGRAM: number = 8 + 65_535
/** How long the peer may take to answer our FIN, in milliseconds. */
const CLOSE_LINGER = 3000

export class HttpTunnel implements Waker {
  readonly streamId: number
  /** Datagrams lost here because a queue was full. */
  dropped: number
  private readonly stream: TunnelStream
  private handler: TunnelHandler | null
  private readonly early: Uint8Array[]
  private earlyBytes: number
  private waitingBytes: number
  private finished: boolean
  private ended: boolean
  private endError: MasqueError | null
  private readDone: boolean
  private draining: boolean
  private linger: NodeJS.Timeout | null

  constructor(stream: TunnelStream) {
    this.streamId = stream.streamId
    this.dropped = 0
    this.stream = stream
    this.handler = null
    this.early = []
    this.earlyBytes = 0
    this.waitingBytes = 0
    this.finished = false
    this.ended = false
    this.endError = null
    this.readDone = false
    this.draining = false
    this.linger = null
    stream.flow?.recv.setWaker(this, 0)
  }

  /** No more datagrams go in or out. */
  get isClosed(): boolean {
    return this.ended
  }

  /** Datagrams travel in capsules: QUIC datagrams are not available. */
  get usesCapsules(): boolean {
    return (this.stream.flow?.maxDatagramSize() ?? 0) === 0
  }

  /** Bytes of the largest datagram, Context ID included, that can be sent now. */
  get maxDatagramSize(): number {
    const size = this.stream.flow?.maxDatagramSize() ?? 0
    return size === 0 ? MAX_DATAGRAM : size
  }

  /** Begins to deliver. Once. */
  start(handler: TunnelHandler): void {
    this.handler = handler
    if (this.ended) {
      handler.onClosed(this.endError)
      return
    }
    for (const datagram of this.early) this.deliver(datagram)
    this.early.length = 0
    void this.readCapsules(handler)
  }

  /** `datagram` belongs to the tunnel from here on. */
  sendDatagram(datagram: Uint8Array): DatagramOutcome {
    if (this.ended) return 'closed'
    const { flow } = this.stream
    const size = flow?.maxDatagramSize() ?? 0
    if (flow === null || size === 0) return this.sendInCapsule(datagram)
    // RFC 9298 §6.1: what does not fit is not moved to a capsule, which would hide the path's MTU.
    if (datagram.length > size) return 'too-large'
    const sent = flow.send.trySend({ kind: 'Datagram', data: datagram, flowId: flow.flowId })
    if (sent !== 'sent') this.dropped++
    return sent === 'full' ? 'dropped' : sent
  }

  /** Resolves when the capsule has been queued on the stream; false when the tunnel has ended. */
  sendCapsule(type: number, value: Uint8Array): Promise<boolean> {
    if (this.ended) return Promise.resolve(false)
    return this.stream.send.send({ kind: 'Body', data: encodeCapsule(type, value), fin: false })
  }

  /** Ends the tunnel in order: FIN, and an abort if the peer does not answer it. */
  close(): void {
    if (this.ended) return
    if (this.handler === null) {
      // Not accepted yet: there is no message to end.
      this.abort(H3ErrorCode.requestCancelled, null)
      return
    }
    this.finish()
    this.end(null)
    if (this.readDone) return
    this.linger = setTimeout(() => this.stream.abort(H3ErrorCode.noError), CLOSE_LINGER)
    this.linger.unref()
  }

  /** Ends the tunnel with an error on both sides. */
  abort(code: number, error: MasqueError | null): void {
    if (this.ended) return
    this.stream.abort(code)
    this.end(error)
  }

  /** The peer reset the stream, stopped reading it, or the connection has ended. `orderly`: nothing is wrong, it only wants no more. */
  onAborted(reason: string, orderly: boolean = false): void {
    this.readDone = true
    this.abort(orderly ? H3ErrorCode.noError : H3ErrorCode.requestCancelled, orderly ? null : new MasqueError('MASQUE_CLOSED', reason))
  }

  /** @internal Datagrams have arrived: they are delivered when the connection's turn is over. */
  wake(): void {
    if (this.draining || this.ended) return
    this.draining = true
    queueMicrotask(() => this.drain())
  }

  private drain(): void {
    this.draining = false
    const recv = this.stream.flow?.recv
    if (recv === undefined) return
    while (!this.ended) {
      const next = recv.tryRecv()
      if (next === 'empty' || next === 'disconnected') return
      this.deliver(next.data)
    }
  }

  private deliver(datagram: Uint8Array): void {
    if (this.ended) return
    if (this.handler === null) {
      this.holdEarly(datagram)
      return
    }
    try {
      this.handler.onDatagram(datagram)
    } catch (error) {
      this.fail(error)
    }
  }

  private holdEarly(datagram: Uint8Array): void {
    if (this.early.length >= MAX_EARLY_DATAGRAMS || this.earlyBytes + datagram.length > MAX_EARLY_BYTES) {
      this.dropped++
      return
    }
    this.early.push(datagram)
    this.earlyBytes += datagram.length
  }

  private async readCapsules(handler: TunnelHandler): Promise<void> {
    const types = [CapsuleType.datagram, ...handler.capsuleTypes]
    const reader = new CapsuleReader({ types, maxValueLength: MAX_DATAGRAM, refuseLargeDatagrams: true })
    const { recv } = this.stream
    try {
      for (let frame = await recv.recv(); frame !== null; frame = await recv.recv()) {
        if (frame.kind === 'Trailers' || (this.ended && !frame.fin)) continue
        if (frame.fin) {
          reader.finish()
          this.onPeerFinished()
          return
        }
        reader.feed(frame.data)
        for (let capsule = reader.next(); capsule !== null; capsule = reader.next()) {
          if (this.ended) continue
          // A view of what the stream delivered, which may be a Node Buffer, whose slice() would not copy.
          const value = new Uint8Array(capsule.value)
          if (capsule.type === CapsuleType.datagram) this.deliver(value)
          else handler.onCapsule(capsule.type, value)
        }
      }
    } catch (error) {
      this.fail(error)
      return
    }
    this.stopLinger()
    this.onAborted('the stream of the tunnel was aborted')
  }

  private onPeerFinished(): void {
    this.readDone = true
    this.stopLinger()
    this.finish()
    this.end(null)
  }

  private fail(error: unknown): void {
    this.readDone = true
    this.stopLinger()
    // A bug of a handler must not leave the stream open.
    const code = error instanceof H3Error ? error.wireCode : H3ErrorCode.internalError
    this.stream.abort(code)
    this.end(new MasqueError('MASQUE_CLOSED', `the tunnel was aborted: ${(error as Error).message}`, error))
  }

  private finish(): void {
    if (this.finished) return
    this.finished = true
    const { send } = this.stream
    void send.send({ kind: 'Body', data: EMPTY_BODY, fin: true }).then(() => send.close())
  }

  private end(error: MasqueError | null): void {
    if (this.ended) return
    this.ended = true
    this.endError = error
    this.early.length = 0
    // The stream's own channels end with the FIN or the abort, which closing them here would overtake.
    const { flow } = this.stream
    flow?.recv.close()
    flow?.send.close()
    this.handler?.onClosed(error)
  }

  private stopLinger(): void {
    if (this.linger !== null) clearTimeout(this.linger)
    this.linger = null
  }

  private sendInCapsule(datagram: Uint8Array): DatagramOutcome {
    if (datagram.length > MAX_DATAGRAM) return 'too-large'
    if (this.waitingBytes + datagram.length > MAX_WAITING_CAPSULE_BYTES) {
      this.dropped++
      return 'dropped'
    }
    this.waitingBytes += datagram.length
    void this.sendCapsule(CapsuleType.datagram, datagram).then(() => {
      this.waitingBytes -= datagram.length
    })
    return 'sent'
  }
}
