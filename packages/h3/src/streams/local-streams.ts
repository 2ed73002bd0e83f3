import type { ResolvedConfig } from '../config.ts'
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

export class LocalStreams {
  private readonly transport: H3Transport
  private readonly control: Outbox
  private controlId: number
  private encoderId: number
  private decoderId: number
  private greaseId: number
  private readonly beforeControl: Uint8Array[]
  private readonly grease: Grease | null
  private started: boolean

  constructor(transport: H3Transport, grease: Grease | null) {
    this.transport = transport
    this.control = new Outbox(transport)
    this.controlId = -1
    this.encoderId = -1
    this.decoderId = -1
    this.greaseId = -1
    this.beforeControl = []
    this.grease = grease
    this.started = false
  }

  start(settings: readonly Setting[]): void {
    this.started = true
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
      for (const bytes of this.beforeControl) this.control.write(this.controlId, bytes, false)
      this.beforeControl.length = 0
    }
    if (this.encoderId === -1) this.encoderId = this.typed(new Uint8Array([StreamType.qpackEncoder]), false)
    if (this.decoderId === -1) this.decoderId = this.typed(new Uint8Array([StreamType.qpackDecoder]), false)
    // Only after the streams that matter have been opened: it takes one of the peer's few streams.
    if (this.grease !== null && this.greaseId === -1 && this.decoderId !== -1) this.greaseId = this.typed(this.grease.stream(), true)
  }

  private typed(bytes: Uint8Array, fin: boolean): number {
    const { transport } = this
    const id = transport.openStream(false)
    if (id === -1) return -1
    transport.streamSetPriority(id, fin ? 255 : 0, false)
    // A type alone fits wherever a stream can be opened, or else the stream stays silent: it carries nothing that is needed.
    transport.streamWrite(id, bytes, fin)
    return id
  }

  isCritical(id: number): boolean {
    return id !== -1 && (id === this.controlId || id === this.encoderId || id === this.decoderId)
  }

  writable(id: number): void {
    if (id === this.controlId) this.control.flush(id)
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
  qpack: { readonly maxTableCapacity: number; readonly maxBlockedStreams: number },
  grease: Grease | null,
): Setting[] {
  const settings: Setting[] = [[SettingId.maxFieldSectionSize, config.maxFieldSectionSize]]
  if (qpack.maxTableCapacity > 0) settings.push([SettingId.qpackMaxTableCapacity, qpack.maxTableCapacity])
  if (qpack.maxBlockedStreams > 0) settings.push([SettingId.qpackBlockedStreams, qpack.maxBlockedStreams])
  if (isServer && config.enableConnectProtocol) settings.push([SettingId.enableConnectProtocol, 1])
  if (config.enableDatagrams) settings.push([SettingId.h3Datagram, 1])
  for (const setting of config.additionalSettings) settings.push(setting)
  if (grease !== null) settings.push([grease.number(), grease.number() % 1024])
  return settings
}
