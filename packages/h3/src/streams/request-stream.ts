import { RequestPriority } from '../priority/request-priority.ts'
import type { H3Transport } from '../transport.ts'
import type { DataHeaderSlab } from '../wire/frame-writer.ts'
import { ReceiveMessage } from './receive-message.ts'
import type { ReceiveContext } from './receive-message.ts'
import { SendMessage } from './send-message.ts'

/** A request stream and its two halves (RFC 9114 §6.1). */
export class RequestStream {
  readonly id: number
  readonly send: SendMessage
  readonly receive: ReceiveMessage
  readonly priority: RequestPriority
  /** The transport has closed the stream. */
  closed: boolean

  constructor(
    id: number,
    transport: H3Transport,
    context: ReceiveContext,
    slab: DataHeaderSlab,
    requestMethod: string,
    extendedConnect: boolean,
  ) {
    this.id = id
    this.send = new SendMessage(id, transport, slab, context.trace)
    this.receive = new ReceiveMessage(id, context, requestMethod, extendedConnect)
    this.priority = new RequestPriority()
    this.closed = false
  }

  get done(): boolean {
    return this.send.done && this.receive.done
  }
}
