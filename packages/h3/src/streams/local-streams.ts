import { readVarint } from '@quicwire/quic/varint'
import type { ResolvedConfig } from '../config.ts'
import { H3ErrorCode, connectionError } from '../errors.ts'
import type { H3TraceSink } from '../trace/sink.ts'
import type { H3Transport } from '../transport.ts'
import type { Grease } from '../wire/grease.ts'
import { SettingId, encodeSettings } from '../wire/settings.ts'
import type { Setting } from '../wire/settings.ts'
import { StreamType } from '../wire/stream-types.ts'
import { Outbox } from './outbox.ts'

/**
 * Our unidirectional streams (RFC 9114 §6.2): control with SETTINGS, QPACK encoder and decoder, and one of a reserved type. Any that the
 * peer's stream limit forbids now is opened when the limit is raised; frames for the control stream wait until then.
 */

/** More than this waiting on the control stream means that the peer reads none of it; droppable frames are dropped. */
const DROP_LIMIT = 16384
/** RFC 9204 §7.3: more than this waiting on the decoder stream means that the peer sends requests and reads no acknowledgments. */
const DECODER_LIMIT = 65536

export class LocalStreams {
  private readonly transport: H3Transport
  private readonly control: Outbox
  private readonly encoder: Outbox
  private readonly decoder: Outbox
  private controlId: number
  private encoderId: number
  private decoderId: number
  private greaseId: number
  private readonly beforeControl: Uint8Array[]
  private readonly grease: Grease | null
  private readonly trace: H3TraceSink | null
  private settings: readonly Setting[]
  private started: boolean

  constructor(transport: H3Transport, grease: Grease | null, trace: H3TraceSink | null = null) {
    this.transport = transport
    this.control = new Outbox(transport)
    this.encoder = new Outbox(transport)
    this.decoder = new Outbox(transport)
    this.controlId = -1
    this.encoderId = -1
    this.decoderId = -1
    this.greaseId = -1
    this.beforeControl = []
    this.grease = grease
    this.trace = trace
    this.settings = []
    this.started = false
  }

  start(settings: readonly Setting[]): void {
    this.started = true
    this.settings = settings
    this.beforeControl.push(new Uint8Array([StreamType.control]), encodeSettings(settings))
    if (this.grease !== null) this.beforeControl.push(this.grease.frame())
    this.open()
  }

  /** Opens what could not be opened before. */
  open(): void {
    if (!this.started) return
    const { transport } = this
    if (this.controlId === -1) {
      this.controlId = transport.openStream(false)
      if (this.controlId === -1) return
      transport.streamSetPriority(this.controlId, 0, false)
      this.trace?.streamTypeSet('local', this.controlId, StreamType.control)
      this.trace?.frameCreated(this.controlId, { type: 'settings', settings: this.settings })
      for (const bytes of this.beforeControl) this.control.write(this.controlId, bytes, false)
      this.beforeControl.length = 0
    }
    if (this.encoderId === -1) this.encoderId = this.instructionStream(StreamType.qpackEncoder, this.encoder)
    if (this.decoderId === -1) this.decoderId = this.instructionStream(StreamType.qpackDecoder, this.decoder)
    // Only after the streams that matter have been opened: it takes one of the peer's few streams.
    if (this.grease !== null && this.greaseId === -1 && this.decoderId !== -1) this.greaseId = this.reserved(this.grease.stream())
  }

  private instructionStream(type: number, outbox: Outbox): number {
    const id = this.transport.openStream(false)
    if (id === -1) return -1
    this.transport.streamSetPriority(id, 0, false)
    outbox.write(id, new Uint8Array([type]), false)
    this.trace?.streamTypeSet('local', id, type)
    return id
  }

  private reserved(bytes: Uint8Array): number {
    const { transport } = this
    const id = transport.openStream(false)
    if (id === -1) return -1
    transport.streamSetPriority(id, 255, false)
    // A type alone fits wherever a stream can be opened, or else the stream stays silent: it carries nothing that is needed.
    transport.streamWrite(id, bytes, true)
    this.trace?.streamTypeSet('local', id, readVarint(bytes, 0, bytes.length))
    return id
  }

  /** Our control stream, -1 until it could be opened. */
  get controlStream(): number {
    return this.controlId
  }

  isCritical(id: number): boolean {
    return id !== -1 && (id === this.controlId || id === this.encoderId || id === this.decoderId)
  }

  writable(id: number): void {
    if (id === this.controlId) this.control.flush(id)
    else if (id === this.encoderId) this.encoder.flush(id)
    else if (id === this.decoderId) this.decoder.flush(id)
  }

  /** Encoder instructions that can go out now as a whole, bytes (RFC 9204 §2.1.3). */
  encoderRoom(): number {
    if (this.encoderId === -1 || this.encoder.pending) return 0
    return Math.max(0, this.transport.streamCapacity(this.encoderId))
  }

  /** Sends encoder instructions, no more than `encoderRoom` has allowed. */
  sendEncoder(instructions: Uint8Array): void {
    this.encoder.write(this.encoderId, instructions, false)
  }

  /** Whether `sendDecoder` has a stream to write to. */
  get decoderOpen(): boolean {
    return this.decoderId !== -1
  }

  /** Sends decoder instructions. Throws H3Error when the peer has not read so many that they become a burden. */
  sendDecoder(instructions: Uint8Array): void {
    if (this.decoder.size + instructions.length > DECODER_LIMIT) {
      throw connectionError(H3ErrorCode.excessiveLoad, `${this.decoder.size} bytes of QPACK decoder instructions are not read (RFC 9204 §7.3)`)
    }
    this.decoder.write(this.decoderId, instructions, false)
  }

  /** Sends a frame on the control stream. */
  send(frame: Uint8Array, droppable: boolean): void {
    if (droppable && this.control.size + this.beforeControl.length * 8 > DROP_LIMIT) return
    if (this.controlId === -1) this.beforeControl.push(frame)
    else this.control.write(this.controlId, frame, false)
  }
}

/** The settings we announce (RFC 9114 §7.2.4.1, RFC 9204 §5, RFC 9220 §3, RFC 9297 §2.1.1). */
export function ourSettings(
  config: ResolvedConfig,
  isServer: boolean,
  grease: Grease | null,
): Setting[] {
  const settings: Setting[] = [[SettingId.maxFieldSectionSize, config.maxFieldSectionSize]]
  if (config.qpackMaxTableCapacity > 0) settings.push([SettingId.qpackMaxTableCapacity, config.qpackMaxTableCapacity])
  if (config.qpackBlockedStreams > 0) settings.push([SettingId.qpackBlockedStreams, config.qpackBlockedStreams])
  if (isServer && config.enableConnectProtocol) settings.push([SettingId.enableConnectProtocol, 1])
  if (config.enableDatagrams) settings.push([SettingId.h3Datagram, 1])
  for (const setting of config.additionalSettings) settings.push(setting)
  if (grease !== null) settings.push([grease.number(), grease.number() % 1024])
  return settings
}
