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
      /** A 1xx response: more headers will follow. */
      readonly informational: boolean
      readonly trailers: boolean
      readonly moreFrames: boolean
    }
  /** Body bytes are there for `readBody`. Edge-triggered; re-armed once `readBody` has read the stream dry. */
  | { readonly kind: 'data'; readonly streamId: number }
  /** The message is complete and its body has been read. Exactly once, also after a message without a body. */
  | { readonly kind: 'finished'; readonly streamId: number }
  /** The peer reset its half (RESET_STREAM); there is nothing more to read. Never after 'finished'. */
  | { readonly kind: 'reset'; readonly streamId: number; readonly code: WireValue }
  /** The peer does not want our half any more (STOP_SENDING); what we send is dropped. */
  | { readonly kind: 'stopped'; readonly streamId: number; readonly code: WireValue }
  /** `sendHeaders` or `sendBody` can go on. */
  | { readonly kind: 'writable'; readonly streamId: number }
  /** From a server: the first request it will not process. From a client: a push id. */
  | { readonly kind: 'goaway'; readonly id: WireValue }
  /** Server only (RFC 9218 §7): the Priority Field Value as it was sent. May come before the request's headers. */
  | { readonly kind: 'priority-update'; readonly streamId: number; readonly value: string }
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
