import { readVarintExact, varintLengthAt } from '@quicwire/quic/varint'
import type { WireValue } from '@quicwire/quic/varint'
import { H3ErrorCode, connectionError } from '../errors.ts'
import { MAX_ORIGIN_PAYLOAD, parseOrigins } from '../origin/origin-frame.ts'
import { MAX_PRIORITY_UPDATE_PAYLOAD, PriorityUpdate, parsePriorityUpdate } from '../priority/update.ts'
import type { H3TraceSink, TracedFrame } from '../trace/sink.ts'
import type { H3Transport } from '../transport.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { FrameType, frameName, isHttp2FrameType } from '../wire/frame-types.ts'
import { PayloadCollector } from '../wire/payload-collector.ts'
import { MAX_SETTINGS_PAYLOAD, parseSettings } from '../wire/settings.ts'
import type { Setting } from '../wire/settings.ts'

/** The peer's control stream (RFC 9114 §6.2.1): SETTINGS first and once, then what may follow. */

export interface ControlHandler {
  onSettings(settings: readonly Setting[]): void
  onGoaway(id: WireValue): void
  onPriorityUpdate(streamId: number, value: string): void
  onOrigin(origins: readonly string[]): void
}

export class RemoteControl {
  private readonly transport: H3Transport
  private readonly isServer: boolean
  private readonly handler: ControlHandler
  private readonly trace: H3TraceSink | null
  /** The stream it is. */
  private streamId: number
  private readonly frames: FrameReader
  private readonly collector: PayloadCollector
  private readonly priorityUpdate: PriorityUpdate
  /** The current frame is understood, so its payload is kept until it is whole. */
  private understood: boolean
  private settingsSeen: boolean
  private maxPushId: WireValue

  constructor(transport: H3Transport, isServer: boolean, handler: ControlHandler, trace: H3TraceSink | null) {
    this.transport = transport
    this.isServer = isServer
    this.handler = handler
    this.trace = trace
    this.streamId = -1
    this.frames = new FrameReader()
    this.collector = new PayloadCollector()
    this.priorityUpdate = new PriorityUpdate()
    this.understood = false
    this.settingsSeen = false
    this.maxPushId = -1
  }

  /** Reads all there is on stream `id`. Throws H3Error. */
  advance(id: number): void {
    this.streamId = id
    for (;;) {
      const view = this.transport.streamPeek(id)
      if (view === null || view.length === 0) return
      this.take(view)
      this.transport.streamConsume(id, view.length)
    }
  }

  private take(view: Uint8Array): void {
    const { frames, collector } = this
    let position = 0
    while (position < view.length) {
      if (!frames.inPayload) {
        position = frames.readHeader(view, position, view.length)
        if (!frames.inPayload) return
        this.understood = this.frameHeader(frames.type, frames.length)
        if (frames.remaining > 0) continue
      }
      const type = frames.type
      const end = Math.min(view.length, position + frames.remaining)
      const complete = this.understood && collector.add(view, position, end, frames.remaining)
      frames.took(end - position)
      position = end
      if (complete) this.frame(type, collector.bytes, collector.start, collector.end)
    }
  }

  /** Whether the payload is to be kept. */
  private frameHeader(type: number, length: number): boolean {
    // RFC 9114 §6.2.1: SETTINGS is the first frame, reserved types included.
    if (!this.settingsSeen && type !== FrameType.settings) {
      throw connectionError(H3ErrorCode.missingSettings, `${frameName(type)} before SETTINGS (RFC 9114 §6.2.1)`)
    }
    switch (type) {
      case FrameType.settings:
        if (this.settingsSeen) throw connectionError(H3ErrorCode.frameUnexpected, 'second SETTINGS (RFC 9114 §7.2.4)')
        this.settingsSeen = true
        if (length > MAX_SETTINGS_PAYLOAD) throw connectionError(H3ErrorCode.excessiveLoad, `SETTINGS of ${length} bytes`)
        return true
      case FrameType.goaway:
      case FrameType.cancelPush:
        return this.identifierFrame(type, length)
      case FrameType.maxPushId:
        if (!this.isServer) this.unexpected(type)
        return this.identifierFrame(type, length)
      case FrameType.priorityUpdateRequest:
      case FrameType.priorityUpdatePush:
        if (!this.isServer) this.unexpected(type)
        if (length > MAX_PRIORITY_UPDATE_PAYLOAD) throw connectionError(H3ErrorCode.excessiveLoad, `PRIORITY_UPDATE of ${length} bytes`)
        return true
      case FrameType.origin:
        // RFC 9412 §2: from servers to clients. Not critical: what a client sends, or what is too long, is skipped.
        return !this.isServer && length <= MAX_ORIGIN_PAYLOAD
      case FrameType.data:
      case FrameType.headers:
      case FrameType.pushPromise:
        return this.unexpected(type)
      default:
        if (isHttp2FrameType(type)) this.unexpected(type)
        this.trace?.frameParsed(this.streamId, { type: 'unknown', frameType: type, length })
        return false
    }
  }

  private identifierFrame(type: number, length: number): true {
    if (length < 1 || length > 8) throw connectionError(H3ErrorCode.frameError, `${frameName(type)} of ${length} bytes (RFC 9114 §7.1)`)
    return true
  }

  private unexpected(type: number): never {
    throw connectionError(H3ErrorCode.frameUnexpected, `${frameName(type)} does not fit on the control stream (RFC 9114 §7)`)
  }

  private frame(type: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case FrameType.settings: {
        const settings = parseSettings(bytes, start, end)
        this.parsed({ type: 'settings', settings })
        this.trace?.parametersSet('remote', settings)
        return this.handler.onSettings(settings)
      }
      case FrameType.goaway: {
        const id = this.identifier(type, bytes, start, end)
        this.parsed({ type: 'goaway', id })
        return this.handler.onGoaway(id)
      }
      case FrameType.cancelPush:
        // RFC 9114 §7.2.3: no push has been promised, and none may be.
        throw connectionError(H3ErrorCode.idError, `CANCEL_PUSH for push ${this.identifier(type, bytes, start, end)}, which does not exist`)
      case FrameType.maxPushId: {
        const id = this.identifier(type, bytes, start, end)
        if (id < this.maxPushId) throw connectionError(H3ErrorCode.idError, 'MAX_PUSH_ID goes down (RFC 9114 §7.2.7)')
        this.maxPushId = id
        this.parsed({ type: 'max_push_id', pushId: id })
        return
      }
      case FrameType.priorityUpdateRequest:
        parsePriorityUpdate(bytes, start, end, this.priorityUpdate)
        this.parsed({ type: 'priority_update', streamId: this.priorityUpdate.streamId, value: this.priorityUpdate.value })
        return this.handler.onPriorityUpdate(this.priorityUpdate.streamId, this.priorityUpdate.value)
      case FrameType.priorityUpdatePush:
        if (readVarintExact(bytes, start, end) === -1) {
          throw connectionError(H3ErrorCode.frameError, 'PRIORITY_UPDATE without an element id')
        }
        throw connectionError(H3ErrorCode.idError, 'PRIORITY_UPDATE for a push that was not promised (RFC 9218 §7.2)')
      case FrameType.origin:
        return this.origin(parseOrigins(bytes, start, end))
      default:
    }
  }

  private origin(origins: readonly string[]): void {
    this.parsed({ type: 'origin', origins })
    this.handler.onOrigin(origins)
  }

  private parsed(frame: TracedFrame): void {
    this.trace?.frameParsed(this.streamId, frame)
  }

  private identifier(type: number, bytes: Uint8Array, start: number, end: number): WireValue {
    const id = readVarintExact(bytes, start, end)
    // RFC 9114 §7.1: a payload that is longer or shorter than its fields is an error.
    if (id === -1 || start + varintLengthAt(bytes[start]!) !== end) {
      throw connectionError(H3ErrorCode.frameError, `${frameName(type)} with a malformed identifier (RFC 9114 §7.1)`)
    }
    return id
  }
}
