// What an application asks of a driver. One union per role; senders wrap their own kind, so users never build the outer command.

import type { Header } from '@quicwire/h3'
import type { Connection, WireValue } from '@quicwire/quic'
import type { UnboundedSender } from '../channel/unbounded.ts'
import type { QuicConnectionStats, SocketStats } from '../stats/socket-stats.ts'
import type { OutboundFrameSender, Priority } from './frames.ts'

/** Executed in the connection's next turn, in order. */
export type QuicCommand =
  | { readonly kind: 'ConnectionClose'; readonly sendApplicationClose: boolean; readonly errorCode: WireValue; readonly reason: string }
  | { readonly kind: 'Custom'; readonly callback: (connection: Connection, now: number) => void }
  /** Numbers at the time of execution, flat or as the engine keeps them. */
  | { readonly kind: 'Stats'; readonly callback: (stats: SocketStats) => void }
  | { readonly kind: 'ConnectionStats'; readonly callback: (stats: QuicConnectionStats) => void }

/** Which directions of a stream to end, and how: Read sends STOP_SENDING, Write sends RESET_STREAM. The other direction lives on. */
export type StreamShutdown =
  | { readonly kind: 'Read'; readonly errorCode: WireValue }
  | { readonly kind: 'Write'; readonly errorCode: WireValue }
  | { readonly kind: 'Both'; readonly readErrorCode: WireValue; readonly writeErrorCode: WireValue }

export type H3Command =
  | { readonly kind: 'QuicCmd'; readonly command: QuicCommand }
  | { readonly kind: 'GoAway' }
  /** GOAWAY, then the connection closes with H3_NO_ERROR once nothing is under way. */
  | { readonly kind: 'Shutdown' }
  | { readonly kind: 'ShutdownStream'; readonly streamId: number; readonly shutdown: StreamShutdown }
  /** RFC 9218 §7: a request under way gets another priority. A client tells the server (PRIORITY_UPDATE); a server's goes before what the client said. */
  | { readonly kind: 'SetPriority'; readonly streamId: number; readonly priority: Priority }

export interface NewClientRequest {
  /** Chosen by the application, echoed in NewOutboundRequest or RequestFailed. */
  readonly requestId: number
  readonly headers: readonly Header[]
  /** Called with the stream's sender once the request has its stream. Null: the request has no body and ends with its headers. */
  readonly bodyWriter: ((sender: OutboundFrameSender) => void) | null
  /** RFC 9218 priority of the stream at this end. */
  readonly priority?: Priority | undefined
  /** Those of `headers`, the very tuples, that must not be compressed here or on any further hop (RFC 9204 §7.1.3). */
  readonly neverIndexed?: readonly Header[] | undefined
}

export type ClientH3Command =
  | H3Command
  /** RFC 8336 §2.3: the server has answered 421 for this origin; it leaves the Origin Set. */
  | { readonly kind: 'ForgetOrigin'; readonly origin: string }
  | { readonly kind: 'ClientRequest'; readonly request: NewClientRequest }
export type ServerH3Command = H3Command

/** Wraps T into a driver's command and queues it. */
export class RequestSender<C extends object, T> {
  private readonly sender: UnboundedSender<C>
  private readonly wrap: (value: T) => C

  constructor(sender: UnboundedSender<C>, wrap: (value: T) => C) {
    this.sender = sender
    this.wrap = wrap
  }

  /** False when the driver has gone. */
  send(value: T): boolean {
    return this.sender.send(this.wrap(value))
  }

  clone(): RequestSender<C, T> {
    return new RequestSender(this.sender.clone(), this.wrap)
  }

  close(): void {
    this.sender.close()
  }
}
