// The application's side of a driver: one event stream, one command queue. Closing the event receiver means the application is done:
// the connection closes with H3_NO_ERROR once nothing is under way.

import type { Receiver } from '../channel/receiver.ts'
import type { UnboundedSender } from '../channel/unbounded.ts'
import { RequestSender } from './commands.ts'
import type { ClientH3Command, H3Command, NewClientRequest, QuicCommand, ServerH3Command, StreamShutdown } from './commands.ts'
import type { ClientH3Event, ServerH3Event } from './events.ts'
import type { Priority } from './frames.ts'

export class H3Controller<Event extends object, Command extends object> {
  /** Events of the connection in order; ends after ConnectionShutdown. */
  readonly events: Receiver<Event>
  protected readonly commands: UnboundedSender<Command>
  protected readonly wrap: (command: H3Command) => Command

  constructor(events: Receiver<Event>, commands: UnboundedSender<Command>, wrap: (command: H3Command) => Command) {
    this.events = events
    this.commands = commands
    this.wrap = wrap
  }

  cmdSender(): RequestSender<Command, QuicCommand> {
    return new RequestSender(this.commands.clone(), (command) => this.wrap({ kind: 'QuicCmd', command }))
  }

  h3CmdSender(): RequestSender<Command, H3Command> {
    return new RequestSender(this.commands.clone(), this.wrap)
  }

  /** Server: no new requests; those under way finish. Client: no pushes. */
  sendGoAway(): void {
    this.commands.send(this.wrap({ kind: 'GoAway' }))
  }

  /** GOAWAY, then close with H3_NO_ERROR once nothing is under way. */
  shutdown(): void {
    this.commands.send(this.wrap({ kind: 'Shutdown' }))
  }

  shutdownStream(streamId: number, shutdown: StreamShutdown): void {
    this.commands.send(this.wrap({ kind: 'ShutdownStream', streamId, shutdown }))
  }

  /**
   * RFC 9218: another priority for a request under way. A client also tells the server (PRIORITY_UPDATE); a server's goes before what the client
   * says. A stream that has gone is no error.
   */
  setPriority(streamId: number, priority: Priority): void {
    this.commands.send(this.wrap({ kind: 'SetPriority', streamId, priority }))
  }

  /** Drops the event receiver. */
  close(): void {
    this.events.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

export class ClientH3Controller extends H3Controller<ClientH3Event, ClientH3Command> {
  requestSender(): RequestSender<ClientH3Command, NewClientRequest> {
    return new RequestSender(this.commands.clone(), (request) => ({ kind: 'ClientRequest', request }))
  }

  /** RFC 8336 §2.3: after a 421 (Misdirected Request) the request's origin leaves the Origin Set. */
  forgetOrigin(origin: string): void {
    this.commands.send({ kind: 'ForgetOrigin', origin })
  }
}

export class ServerH3Controller extends H3Controller<ServerH3Event, ServerH3Command> {}
