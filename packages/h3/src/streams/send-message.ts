import { H3StateError } from '../errors.ts'
import type { H3TraceSink } from '../trace/sink.ts'
import type { H3Transport } from '../transport.ts'
import { MAX_DATA_PAYLOAD, dataHeaderSize, dataPayloadFor, encodeFrame } from '../wire/frame-writer.ts'
import type { DataHeaderSlab } from '../wire/frame-writer.ts'
import { FrameType } from '../wire/frame-types.ts'
import { Outbox } from './outbox.ts'

/**
 * Our half of a request stream (RFC 9114 §4.1): interim heads, the head, the body, trailers. Sections are always accepted as a whole;
 * a DATA frame is only begun when header and payload go into the transport together.
 */

const Stage = { head: 0, body: 1, trailers: 2, ended: 3, gone: 4 } as const
type Stage = (typeof Stage)[keyof typeof Stage]

/** Payload of a DATA frame made when the transport has room for a byte or two only. */
const STARVED_PAYLOAD = 64
const EMPTY = new Uint8Array(0)

export class SendMessage {
  private readonly id: number
  private readonly transport: H3Transport
  private readonly slab: DataHeaderSlab
  private readonly trace: H3TraceSink | null
  private readonly outbox: Outbox
  private stage: Stage
  /** The message can have no content (HEAD, 204, 304): its body is accepted and dropped, as node:http does. */
  noContent: boolean
  /** The stream is a tunnel (RFC 9114 §4.4): only DATA follows, no trailers. */
  tunnel: boolean

  constructor(id: number, transport: H3Transport, slab: DataHeaderSlab, trace: H3TraceSink | null) {
    this.id = id
    this.transport = transport
    this.slab = slab
    this.trace = trace
    this.outbox = new Outbox(transport)
    this.stage = Stage.head
    this.noContent = false
    this.tunnel = false
  }

  /** More can be sent. */
  get open(): boolean {
    return this.stage < Stage.ended && !this.outbox.gone
  }

  /** Nothing will ever be written to the stream again. */
  get done(): boolean {
    return this.outbox.gone || this.stage === Stage.gone || (this.stage === Stage.ended && !this.outbox.pending)
  }

  /** The peer has stopped the stream, or we gave it up. */
  abandon(): void {
    this.stage = Stage.gone
    this.outbox.drop()
  }

  /** Goes on with what waits; true when the application can go on. */
  flush(): boolean {
    return this.outbox.flush(this.id) && this.open
  }

  /** Whether a section of this kind may come now. Throws H3StateError; a stopped stream is no mistake of the caller. */
  checkSection(trailers: boolean): void {
    if (this.stage === Stage.gone || this.outbox.gone) return
    if (trailers && this.tunnel) {
      throw new H3StateError('H3_MESSAGE_STATE', `trailers do not fit in the tunnel on stream ${this.id} (RFC 9114 §4.4)`)
    }
    if (trailers ? this.stage !== Stage.body : this.stage !== Stage.head) {
      throw new H3StateError('H3_MESSAGE_STATE', `${trailers ? 'trailers' : 'headers'} do not fit here on stream ${this.id}`)
    }
  }

  /** Whether `section` will take one: no earlier one waits, and the stream is open. */
  ready(): boolean {
    return this.open && this.outbox.flush(this.id) && !this.outbox.gone
  }

  /** False when not `ready`. `prefix` goes before the frame. */
  section(block: Uint8Array, fin: boolean, trailers: boolean, informational: boolean, prefix: Uint8Array | null): boolean {
    if (!this.ready()) return false
    if (prefix !== null) this.outbox.write(this.id, prefix, false)
    this.outbox.write(this.id, encodeFrame(FrameType.headers, block), fin)
    if (fin) this.stage = Stage.ended
    else if (trailers) this.stage = Stage.trailers
    else if (!informational) this.stage = Stage.body
    return true
  }

  capacity(): number {
    if (!this.open) return -1
    if (this.outbox.pending) return 0
    const capacity = this.transport.streamCapacity(this.id)
    return capacity < 3 ? Math.min(capacity, 0) : dataPayloadFor(capacity)
  }

  body(data: Uint8Array, fin: boolean): number {
    if (this.stage === Stage.gone || this.outbox.gone) return -1
    this.checkBody(data.length)
    if (data.length === 0 || this.noContent) {
      if (fin) {
        this.outbox.write(this.id, EMPTY, true)
        this.stage = Stage.ended
      }
      return this.outbox.gone ? -1 : data.length
    }
    if (!this.outbox.flush(this.id)) return 0
    if (this.outbox.gone) return -1
    const capacity = this.transport.streamCapacity(this.id)
    if (capacity < 0) return -1
    if (capacity < 3) return this.starved(data, fin, capacity)
    return this.dataFrame(data, fin, capacity)
  }

  private checkBody(length: number): void {
    if (this.stage === Stage.body || (this.stage === Stage.trailers && length === 0)) return
    throw new H3StateError('H3_MESSAGE_STATE', `body does not fit here on stream ${this.id}`)
  }

  private dataFrame(data: Uint8Array, fin: boolean, capacity: number): number {
    let headerSize = dataHeaderSize(data.length)
    let payload = data.length
    if (payload > MAX_DATA_PAYLOAD || headerSize + payload > capacity) {
      payload = dataPayloadFor(capacity)
      headerSize = payload < 64 && payload === capacity - 2 ? 2 : payload < 16384 && payload === capacity - 3 ? 3 : 5
    }
    const whole = payload === data.length
    if (this.transport.streamWrite(this.id, this.slab.header(payload, headerSize), false) !== headerSize) return this.torn()
    // More is offered than there is room for: the short write makes the transport say when to go on.
    const offered = whole || payload === MAX_DATA_PAYLOAD ? data.subarray(0, payload) : data
    if (this.transport.streamWrite(this.id, offered, fin && whole) !== payload) return this.torn()
    if (fin && whole) this.stage = Stage.ended
    this.trace?.frameCreated(this.id, { type: 'data', length: payload })
    return payload
  }

  private torn(): never {
    throw new Error(`transport took less (or more) on stream ${this.id} than streamCapacity said`)
  }

  /** No room for the smallest DATA frame. With a byte or two, a small frame waits for the rest of its room in the outbox. */
  private starved(data: Uint8Array, fin: boolean, capacity: number): number {
    if (capacity === 0) {
      this.transport.streamWrite(this.id, data, false)
      return 0
    }
    const payload = Math.min(data.length, STARVED_PAYLOAD)
    const whole = payload === data.length
    this.outbox.write(this.id, encodeFrame(FrameType.data, data.subarray(0, payload)), fin && whole)
    if (this.outbox.gone) return -1
    if (fin && whole) this.stage = Stage.ended
    this.trace?.frameCreated(this.id, { type: 'data', length: payload })
    return payload
  }
}
