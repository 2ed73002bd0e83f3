import { resolveConfig } from '../config.ts'
import type { H3Config, ResolvedConfig } from '../config.ts'
import { HttpDatagrams } from '../datagram/http-datagrams.ts'
import { EventQueue } from '../event-queue.ts'
import { MessageHead } from '../headers/message-head.ts'
import { OriginSet } from '../origin/origin-set.ts'
import { Priorities } from '../priority/priorities.ts'
import { PeerSettings } from '../settings/peer-settings.ts'
import { LocalStreams } from '../streams/local-streams.ts'
import { PeerStreamLedger } from '../streams/peer-stream-ledger.ts'
import type { ReceiveContext } from '../streams/receive-message.ts'
import { RemoteControl } from '../streams/remote-control.ts'
import type { ControlHandler } from '../streams/remote-control.ts'
import { RequestRegistry } from '../streams/request-registry.ts'
import { RequestStream } from '../streams/request-stream.ts'
import { UniRouter } from '../streams/uni-router.ts'
import type { H3TraceSink } from '../trace/sink.ts'
import type { H3Transport } from '../transport.ts'
import { DataHeaderSlab } from '../wire/frame-writer.ts'
import { Grease } from '../wire/grease.ts'
import { FieldCompression } from './field-compression.ts'
import { Goaway } from './goaway.ts'

/** A trace's word for a stream that has no type of its own. */
const REQUEST_STREAM = -1

/** What the rooms report to the connection; made over the core, whose rooms it calls. */
export interface CoreHandlers {
  readonly control: (core: H3Core) => ControlHandler
  readonly requestHead: (core: H3Core, streamId: number, head: MessageHead) => void
}

/** The rooms of one HTTP/3 connection, and its life. The files beside this one say in which order they are called. */
export class H3Core {
  readonly isServer: boolean
  readonly transport: H3Transport
  readonly config: ResolvedConfig
  readonly events: EventQueue
  readonly trace: H3TraceSink | null
  readonly grease: Grease | null
  readonly local: LocalStreams
  readonly compression: FieldCompression
  readonly uni: UniRouter
  readonly uniLedger: PeerStreamLedger
  readonly requests: RequestRegistry
  readonly goaway: Goaway
  readonly priorities: Priorities
  readonly peer: PeerSettings
  readonly datagrams: HttpDatagrams
  readonly origins: OriginSet
  started: boolean
  failed: boolean
  /** A request could not be opened; the application waits for 'requests-available'. */
  requestsBlocked: boolean
  private readonly context: ReceiveContext
  private readonly slab: DataHeaderSlab
  private greaseDue: boolean

  constructor(transport: H3Transport, role: 'client' | 'server', config: H3Config, handlers: CoreHandlers) {
    this.transport = transport
    this.config = resolveConfig(config)
    this.isServer = role === 'server'
    this.events = new EventQueue()
    this.trace = this.config.trace
    this.grease = this.config.grease ? new Grease(this.config.random) : null
    this.local = new LocalStreams(transport, this.grease, this.trace)
    this.compression = new FieldCompression(this.config, this.local)
    const control = new RemoteControl(transport, this.isServer, handlers.control(this), this.trace)
    this.uni = new UniRouter(transport, this.isServer, control, this.compression, this.trace)
    this.uniLedger = new PeerStreamLedger(this.isServer ? 2 : 3)
    this.requests = new RequestRegistry()
    this.goaway = new Goaway(this.isServer)
    this.priorities = new Priorities(transport, this.trace)
    this.peer = new PeerSettings(this.isServer ? null : this.config.rememberedSettings)
    this.datagrams = new HttpDatagrams(transport, this.events, this.trace)
    this.origins = new OriginSet(this.config.initialOrigin)
    this.started = false
    this.failed = false
    this.requestsBlocked = false
    this.context = {
      transport,
      trace: this.trace,
      events: this.events,
      decoder: this.compression.decoder,
      blocked: this.compression.blocked,
      isServer: this.isServer,
      extendedConnect: this.isServer && this.config.enableConnectProtocol,
      maxFieldSectionSize: this.config.maxFieldSectionSize,
      head: new MessageHead(),
      onRequestHead: (streamId, head) => handlers.requestHead(this, streamId, head),
    }
    this.slab = new DataHeaderSlab()
    this.greaseDue = this.config.grease
    if (!this.isServer && this.config.rememberedSettings !== null) this.trace?.parametersRestored(this.config.rememberedSettings)
  }

  addRequest(id: number, method: string, extendedConnect: boolean): RequestStream {
    const request = new RequestStream(id, this.transport, this.context, this.slab, method, extendedConnect)
    this.requests.add(request)
    this.trace?.streamTypeSet(this.isServer ? 'remote' : 'local', id, REQUEST_STREAM)
    this.priorities.opened(request)
    return request
  }

  /** The only place where a request is forgotten: when both halves are done. */
  settle(request: RequestStream): void {
    if (!this.requests.settle(request)) return
    this.datagrams.drop(request.id)
    if (this.isServer && !request.closed) this.priorities.leave(request)
  }

  /** A reserved frame before our first section, once (RFC 9114 §7.2.8). */
  greaseFrame(): Uint8Array | null {
    if (!this.greaseDue || this.grease === null) return null
    this.greaseDue = false
    return this.grease.frame()
  }
}
