import type { WireValue } from '@quicwire/quic/varint'

/** A field line, in order: latin1 strings, the name in lower case. */
export type Header = readonly [name: string, value: string]

export type H3Event =
  /** The peer's SETTINGS, once, in its order, reserved ones included. */
  | { readonly kind: 'settings'; readonly settings: readonly (readonly [id: WireValue, value: WireValue])[] }
  /** A valid header or trailer section. `moreFrames` is false when the stream has already ended. */
  | {
      readonly kind: 'headers'
      readonly streamId: number
      readonly headers: readonly Header[]
      /** Those of `headers`, the very tuples, that may not be compressed on any further hop (RFC 9204 §7.1.3). */
      readonly neverIndexed: readonly Header[]
      /** A 1xx response: more headers will follow. */
      readonly informational: boolean
      readonly trailers: boolean
      readonly moreFrames: boolean
    }
  /** Body bytes are there for `readBody`. Edge-triggered; re-armed once `readBody` has read the stream dry. */
  | { readonly kind: 'data'; readonly streamId: number }
  /** The message is complete and its body has been read. Exactly once, also after a message without a body. */
  | { readonly kind: 'finished'; readonly streamId: number }
  /**
   * The peer reset its half (RESET_STREAM), or (client) its GOAWAY says that the request will not be processed, code H3_REQUEST_REJECTED:
   * there is nothing more to read, and what was read is no whole message. Never after 'finished'. `retryable`: the request was not
   * processed, any method may be sent again on another connection (RFC 9114 §4.1.1, §5.2); false says nothing either way.
   */
  | { readonly kind: 'reset'; readonly streamId: number; readonly code: WireValue; readonly retryable: boolean }
  /** The peer does not want our half any more (STOP_SENDING); what we send is dropped. */
  | { readonly kind: 'stopped'; readonly streamId: number; readonly code: WireValue }
  /** `sendHeaders` or `sendBody` can go on. */
  | { readonly kind: 'writable'; readonly streamId: number }
  /** From a server: the first request it will not process. From a client: a push id. */
  | { readonly kind: 'goaway'; readonly id: WireValue }
  /**
   * Server only (RFC 9218 §7): the Priority Field Value as it was sent. May come before the request's headers. The transport's order of
   * streams has been changed accordingly.
   */
  | { readonly kind: 'priority-update'; readonly streamId: number; readonly value: string }
  /** Client only (RFC 9412): origins the server would like this connection to be used for; `originSet` has them all. */
  | { readonly kind: 'origin'; readonly origins: readonly string[] }
  /**
   * Server only: a request's field section is larger than `maxFieldSectionSize`. Reading has been stopped; the send half is
   * open for a 431 response (RFC 9114 §4.2.2). `finished` does not follow.
   */
  | { readonly kind: 'headers-too-large'; readonly streamId: number }
  /** The peer broke a rule on one stream. The layer has reset and stopped it already; nothing more follows for it. */
  | { readonly kind: 'stream-error'; readonly streamId: number; readonly code: number; readonly message: string }
  /** The owner closes the transport with this application error code. Once, the last event. */
  | { readonly kind: 'connection-error'; readonly code: number; readonly message: string }
  /** Client only: `sendRequest` returned -1 before and the peer has raised its limit. */
  | { readonly kind: 'requests-available' }
  /** HTTP Datagrams are there for `receiveDatagram`. Edge-triggered; re-armed once it has returned null. */
  | { readonly kind: 'datagram' }
