// What travels in the channels of a stream and of a flow. Streams and flows have types of their own, so a frame of the wrong kind
// cannot be sent (driver defect B20 of the model).

import type { Header } from '@quicwire/h3'
import type { BoundedSender } from '../channel/bounded.ts'
import type { Receiver } from '../channel/receiver.ts'

/** RFC 9218 §4. */
export interface Priority {
  /** 0 to 7, lower first. Default 3. */
  readonly urgency: number
  readonly incremental: boolean
}

/** Driver to application. Data frames have `fin: false`; the end of the stream is a Body of its own, empty and with `fin: true`. */
export type InboundFrame =
  | { readonly kind: 'Body'; readonly data: Uint8Array; readonly fin: boolean }
  /** Before the final Body. */
  | { readonly kind: 'Trailers'; readonly headers: readonly Header[] }

/** Application to driver, on a stream. */
export type OutboundFrame =
  /** Server: 1xx headers any number of times, then the response's. `fin` ends the message here. */
  | {
      readonly kind: 'Headers'
      readonly headers: readonly Header[]
      readonly priority?: Priority | undefined
      readonly fin?: boolean | undefined
      /** Those of `headers`, the very tuples, that must not be compressed here or on any further hop (RFC 9204 §7.1.3). */
      readonly neverIndexed?: readonly Header[] | undefined
    }
  /** `data` belongs to the driver from here on. Empty without `fin` is skipped. */
  | { readonly kind: 'Body'; readonly data: Uint8Array; readonly fin: boolean }
  /** Ends the message. */
  | {
      readonly kind: 'Trailers'
      readonly headers: readonly Header[]
      readonly priority?: Priority | undefined
      readonly neverIndexed?: readonly Header[] | undefined
    }
  /** The peer's message is malformed: aborts both directions with H3_MESSAGE_ERROR. */
  | { readonly kind: 'PeerStreamError' }

/** Driver to application, on a flow. */
export interface InboundDatagram {
  readonly kind: 'Datagram'
  readonly data: Uint8Array
}

/** Application to driver, for any flow of the connection. */
export type OutboundDatagram =
  /** Sent as soon as possible or dropped. */
  | { readonly kind: 'Datagram'; readonly data: Uint8Array; readonly flowId: number }
  /** Ends a flow, and its stream with H3_NO_ERROR. */
  | { readonly kind: 'FlowShutdown'; readonly flowId: number; readonly streamId: number }

export type OutboundFrameSender = BoundedSender<OutboundFrame>
export type InboundFrameStream = Receiver<InboundFrame>
export type OutboundDatagramSender = BoundedSender<OutboundDatagram>
export type InboundDatagramStream = Receiver<InboundDatagram>

export const EMPTY_BODY: Uint8Array = new Uint8Array(0)
/** The end of a stream; shared, nobody changes a frame. */
export const FIN_FRAME: InboundFrame = { kind: 'Body', data: EMPTY_BODY, fin: true }
