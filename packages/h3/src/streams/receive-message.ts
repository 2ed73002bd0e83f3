import { QpackLimitError } from '@quicwire/qpack'
import type { FieldSection, QpackDecoder } from '@quicwire/qpack'
import type { BlockedSections } from '../blocked.ts'
import { H3ErrorCode, connectionError, streamError } from '../errors.ts'
import type { EventQueue } from '../event-queue.ts'
import { checkCapsuleResponse } from '../headers/capsule-head.ts'
import type { MessageHead } from '../headers/message-head.ts'
import { checkTrailers } from '../headers/message-head.ts'
import { checkRequest } from '../headers/request-head.ts'
import { checkResponse, neverHasContent } from '../headers/response-head.ts'
import { ReceiveState } from '../transport.ts'
import type { H3TraceSink } from '../trace/sink.ts'
import type { H3Transport } from '../transport.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { FrameType, frameName, isHttp2FrameType, isKnownFrameType } from '../wire/frame-types.ts'
import { PayloadCollector } from '../wire/payload-collector.ts'

/**
 * The peer's half of a request stream (RFC 9114 §4.1): which frame may come when, field sections checked and reported, DATA left in the
 * transport until the application reads it. Everything here raises H3Error (or QpackError); the connection turns it into events.
 */

/** What all messages of a connection share. */
export interface ReceiveContext {
  readonly transport: H3Transport
  readonly trace: H3TraceSink | null
  readonly events: EventQueue
  readonly decoder: QpackDecoder
  /** Sections that wait for the QPACK encoder stream. */
  readonly blocked: BlockedSections
  readonly isServer: boolean
  readonly extendedConnect: boolean
  readonly maxFieldSectionSize: number
  /** Scratch of the checks. */
  readonly head: MessageHead
  /** Server: a request's header section is valid and about to be reported; `head` is that of the scratch. */
  readonly onRequestHead: (streamId: number, head: MessageHead) => void
}

const Stage = { head: 0, body: 1, trailers: 2, done: 3 } as const
type Stage = (typeof Stage)[keyof typeof Stage]

export class ReceiveMessage {
  /** Of the request: on a server known once its headers have been read, on a client from the start. */
  requestMethod: string
  /** The request is an extended CONNECT (RFC 9220). */
  extendedConnect: boolean
  /** A section of the message, interim ones included, has been reported. */
  heard: boolean
  /** The body has been read up to something that `advance` has to look at. */
  readOn: boolean
  private readonly id: number
  private readonly context: ReceiveContext
  private readonly frames: FrameReader
  private collector: PayloadCollector | null
  private stage: Stage
  /** A complete HEADERS payload is in the collector. */
  private sectionReady: boolean
  /** The section waits for the QPACK encoder stream; nothing after it is read (RFC 9204 §2.2.1). */
  private blocked: boolean
  /** The transport has closed the stream, at its end, while the last section was blocked. */
  private ended: boolean
  /** The next body bytes are worth a 'data' event. */
  private armed: boolean
  private expectedLength: number
  private receivedLength: number
  private noContent: boolean
  private tunnel: boolean

  constructor(id: number, context: ReceiveContext, requestMethod: string, extendedConnect: boolean) {
    this.id = id
    this.context = context
    this.requestMethod = requestMethod
    this.extendedConnect = extendedConnect
    this.heard = false
    this.readOn = false
    this.frames = new FrameReader()
    this.collector = null
    this.stage = Stage.head
    this.sectionReady = false
    this.blocked = false
    this.ended = false
    this.armed = true
    this.expectedLength = -1
    this.receivedLength = 0
    this.noContent = false
    this.tunnel = false
  }

  get done(): boolean {
    return this.stage === Stage.done
  }

  /** Nothing more is read or reported. */
  abandon(): void {
    if (this.stage === Stage.done) return
    const { blocked, decoder } = this.context
    this.leave()
    if (this.blocked) blocked.take(this.id)
    // RFC 9204 §2.2.2.2: the peer's encoder may give up its references.
    decoder.cancelStream(this.id)
  }

  private leave(): void {
    this.stage = Stage.done
    this.collector = null
  }

  /**
   * The transport has closed the stream, both halves. Everything has been consumed then, but the last section may still be waiting; a
   * message that waits for nothing is given up.
   */
  transportClosed(): void {
    if (this.blocked && this.stage !== Stage.done) this.ended = true
    else this.abandon()
  }

  private hasEnded(): boolean {
    return this.ended || this.context.transport.streamReceiveState(this.id) === ReceiveState.finished
  }

  /** The insertions that the section was waiting for have arrived. */
  unblock(): void {
    const bytes = this.context.blocked.take(this.id)
    if (bytes === null) return
    this.blocked = false
    this.decode(bytes, 0, bytes.length)
    this.advance()
  }

  /** Reads frames up to the next body bytes or the end of what is there. */
  advance(): void {
    const { transport } = this.context
    this.readOn = false
    if (this.blocked) return
    while (this.stage !== Stage.done) {
      const view = transport.streamPeek(this.id)
      if (view === null || view.length === 0) break
      if (this.inBody()) {
        this.signal()
        return
      }
      const used = this.take(view)
      if (this.done) return
      transport.streamConsume(this.id, used)
      if (this.sectionReady) this.section()
      if (this.blocked) return
    }
    if (this.stage === Stage.done) return
    this.armed = true
    if (this.hasEnded()) this.end()
  }

  /** The next body bytes, at most `maxLength`; null when there are none now. `advance` is due afterwards if `readOn` says so. */
  readBody(maxLength: number): Uint8Array | null {
    if (this.stage === Stage.done) return null
    if (!this.inBody()) this.advance()
    if (!this.inBody() || maxLength <= 0) return null
    const { transport } = this.context
    const view = transport.streamPeek(this.id)
    this.readOn = true
    if (view === null || view.length === 0) return null
    const length = Math.min(view.length, this.frames.remaining, maxLength)
    const bytes = length === view.length ? view : view.subarray(0, length)
    transport.streamConsume(this.id, length)
    this.frames.took(length)
    // What follows the last byte is read at once: the end of the message, trailers, the next DATA frame.
    this.readOn = length === view.length || !this.frames.inPayload
    return bytes
  }

  private inBody(): boolean {
    return this.frames.inPayload && this.frames.type === FrameType.data
  }

  private signal(): void {
    if (!this.armed) return
    this.armed = false
    this.context.events.push({ kind: 'data', streamId: this.id })
  }

  /** Takes frames from the view until a body or a complete section; returns how many bytes it took. */
  private take(view: Uint8Array): number {
    const frames = this.frames
    let position = 0
    while (position < view.length) {
      if (!frames.inPayload) {
        position = frames.readHeader(view, position, view.length)
        if (!frames.inPayload) return position
        this.frameHeader(frames.type, frames.length)
        if (frames.remaining > 0) continue
        if (frames.type !== FrameType.headers) {
          frames.took(0)
          continue
        }
      }
      if (frames.type === FrameType.data) return position
      const end = Math.min(view.length, position + frames.remaining)
      if (frames.type === FrameType.headers) {
        this.collector ??= new PayloadCollector()
        this.sectionReady = this.collector.add(view, position, end, frames.remaining)
      }
      frames.took(end - position)
      position = end
      if (this.sectionReady) return position
    }
    return position
  }

  /** RFC 9114 §4.1 and Table 1: which frame may come now. */
  private frameHeader(type: number, length: number): void {
    if (type === FrameType.data) {
      if (this.stage !== Stage.body) this.unexpected(type)
      this.receivedLength += length
      this.context.trace?.frameParsed(this.id, { type: 'data', length })
      if (this.noContent && length > 0) {
        throw streamError(H3ErrorCode.messageError, 'content in a response that cannot have any (RFC 9110 §6.4.1)')
      }
      if (this.expectedLength !== -1 && this.receivedLength > this.expectedLength) this.lengthMismatch()
      return
    }
    if (type === FrameType.headers) {
      if (this.stage === Stage.trailers || (this.stage === Stage.body && this.tunnel)) this.unexpected(type)
      // An encoder that codes sensibly never makes a section larger than RFC 9114 §4.2.2 counts it.
      if (length > this.context.maxFieldSectionSize) this.tooLarge()
      return
    }
    if (type === FrameType.pushPromise && !this.context.isServer && !(this.tunnel && this.stage === Stage.body)) {
      // RFC 9114 §7.2.5: we never send MAX_PUSH_ID, so every push ID is larger than the maximum.
      throw connectionError(H3ErrorCode.idError, 'PUSH_PROMISE without MAX_PUSH_ID (RFC 9114 §7.2.5)')
    }
    if (isKnownFrameType(type) || isHttp2FrameType(type)) this.unexpected(type)
    this.context.trace?.frameParsed(this.id, { type: 'unknown', frameType: type, length })
  }

  private unexpected(type: number): never {
    throw connectionError(H3ErrorCode.frameUnexpected, `${frameName(type)} does not fit on request stream ${this.id} (RFC 9114 §4.1, §7)`)
  }

  private lengthMismatch(): never {
    throw streamError(
      H3ErrorCode.messageError,
      `content-length ${this.expectedLength}, DATA ${this.receivedLength} bytes (RFC 9114 §4.1.2)`,
    )
  }

  private section(): void {
    this.sectionReady = false
    if (this.stage === Stage.done) return
    const { bytes, start, end } = this.collector!
    this.decode(bytes, start, end)
  }

  private decode(bytes: Uint8Array, start: number, end: number): void {
    const { context } = this
    let section: FieldSection | null
    try {
      section = context.decoder.decode(this.id, bytes, start, end)
    } catch (error) {
      if (!(error instanceof QpackLimitError)) throw error
      // RFC 9204 §7.4: what we cannot take in concerns this stream alone.
      if (error.code === 'QPACK_INTEGER_TOO_LONG') throw streamError(H3ErrorCode.qpackDecompressionFailed, error.message)
      this.tooLarge()
      return
    }
    if (section === null) {
      context.blocked.hold(this.id, bytes, start, end)
      this.blocked = true
      return
    }
    context.trace?.frameParsed(this.id, { type: 'headers', length: end - start, headers: section.fields })
    if (this.stage === Stage.body) this.trailers(section)
    else if (context.isServer) this.request(section)
    else this.response(section)
  }

  /** RFC 9114 §4.2.2: a server may still answer (431); a client, or a message that has begun, is given up. */
  private tooLarge(): void {
    const { context } = this
    if (!context.isServer || this.stage !== Stage.head) {
      throw streamError(H3ErrorCode.excessiveLoad, `field section larger than ${context.maxFieldSectionSize} bytes (RFC 9114 §4.2.2)`)
    }
    this.abandon()
    // RFC 9114 §4.1: H3_NO_ERROR when the rest of a request is not needed for its response.
    context.transport.streamStop(this.id, H3ErrorCode.noError)
    context.events.push({ kind: 'headers-too-large', streamId: this.id })
  }

  private request(section: FieldSection): void {
    const { fields } = section
    const { head, extendedConnect } = this.context
    const reason = checkRequest(fields, extendedConnect, head)
    if (reason !== null) throw streamError(H3ErrorCode.messageError, reason)
    this.requestMethod = head.method
    this.extendedConnect = head.protocol !== null
    this.tunnel = head.method === 'CONNECT'
    this.expectedLength = this.tunnel ? -1 : head.contentLength
    this.stage = Stage.body
    this.context.onRequestHead(this.id, head)
    this.report(section, false, false)
  }

  private response(section: FieldSection): void {
    const { fields } = section
    const { head } = this.context
    const reason = checkResponse(fields, head) ?? (this.extendedConnect ? checkCapsuleResponse(head) : null)
    if (reason !== null) throw streamError(H3ErrorCode.messageError, reason)
    const informational = head.status < 200
    if (!informational) {
      this.tunnel = this.requestMethod === 'CONNECT' && head.status < 300
      this.noContent = neverHasContent(this.requestMethod, head.status)
      // RFC 9110 §9.3.6: Content-Length in a successful response to CONNECT is ignored.
      this.expectedLength = this.tunnel || this.noContent ? -1 : head.contentLength
      this.stage = Stage.body
    }
    this.report(section, informational, false)
  }

  private trailers(section: FieldSection): void {
    const { fields } = section
    const reason = checkTrailers(fields, this.context.isServer)
    if (reason !== null) throw streamError(H3ErrorCode.messageError, reason)
    this.stage = Stage.trailers
    this.report(section, false, true)
  }

  private report(section: FieldSection, informational: boolean, trailers: boolean): void {
    const { events } = this.context
    this.heard = true
    const moreFrames = !this.hasEnded()
    const { fields: headers, neverIndexed } = section
    events.push({ kind: 'headers', streamId: this.id, headers, neverIndexed, informational, trailers, moreFrames })
  }

  /** The stream has ended and everything has been consumed. */
  private end(): void {
    // RFC 9114 §7.1: a stream that ends inside a frame is a connection error.
    if (!this.frames.atBoundary) throw connectionError(H3ErrorCode.frameError, `stream ${this.id} ends inside a frame (RFC 9114 §7.1)`)
    if (this.stage === Stage.head) {
      if (this.context.isServer) throw streamError(H3ErrorCode.requestIncomplete, 'no complete request (RFC 9114 §4.1)')
      throw streamError(H3ErrorCode.messageError, 'no final response (RFC 9114 §4.1)')
    }
    if (this.expectedLength !== -1 && this.receivedLength !== this.expectedLength) this.lengthMismatch()
    this.leave()
    this.context.events.push({ kind: 'finished', streamId: this.id })
  }
}
