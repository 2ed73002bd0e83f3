// Requests and responses as plain values, the same for the server's handlers and the client.

/** Names are lower case; values are latin1, as on the wire. */
export type Header = readonly [name: string, value: string]

/** Bytes that come in pieces. Taking no more is what holds the sender back; leaving the loop early cancels. */
export type ByteStream = AsyncIterable<Uint8Array>

export type BodySource = string | Uint8Array | ByteStream | null

/** What goes first when not everything can (RFC 9218 §4). */
export interface Priority {
  /** 0 to 7, lower goes first. Default on a request: 3; on a response: what the client said. */
  readonly urgency?: number
  /** True: of use in pieces, so it may share the connection with others of its urgency. Default as for `urgency`, false on a request. */
  readonly incremental?: boolean
}

export interface IncomingRequest {
  readonly method: string
  /** The `:path` pseudo-header: path and query, still percent-encoded. */
  readonly path: string
  readonly authority: string
  readonly scheme: string
  /** Without pseudo-headers. */
  readonly headers: readonly Header[]
  /** Names of the headers that came never-indexed (RFC 9204 §7.1.3): who forwards the request hands them on as `sensitiveHeaders`. */
  readonly sensitiveHeaders: readonly string[]
  readonly body: ByteStream
  /** It came before the handshake was complete, and may be a replay by somebody else (RFC 8470). */
  readonly early: boolean
  /**
   * Sends an interim response (RFC 9110 §15.2), such as 103 Early Hints, before the final one. False when the client or the
   * connection is gone. Throws RangeError for a status that is not interim, and for 101, which HTTP/3 does not have (RFC 9114 §4.5).
   */
  inform(status: number, headers?: readonly Header[]): Promise<boolean>
  /**
   * What of the response is still to come gets another priority, before what the client says (RFC 9218 §8). What is left out has its default. Throws
   * RangeError.
   */
  setPriority(priority: Priority): void
}

export interface OutgoingResponse {
  readonly status: number
  readonly headers?: readonly Header[]
  /** A stream body is iterated once, and its iterator's return() is called when the peer goes away. Default null. */
  readonly body?: BodySource
  readonly trailers?: readonly Header[]
  /** Names of headers and trailers that nobody on the way may put into a compression table, as in node:http2. Credentials and short cookies never are. */
  readonly sensitiveHeaders?: readonly string[]
  /** Goes before what the client asked for, and is told to intermediaries in the `priority` field (RFC 9218 §8). Default: as the client asked. */
  readonly priority?: Priority
}

export type Handler = (request: IncomingRequest) => OutgoingResponse | Promise<OutgoingResponse>

/** RFC 9110 §9.2.1: requests that only read may be repeated by anybody without harm, also by a replay of early data. */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE'
}

/** RFC 8470 §5.2: the server will not risk a replay; the client may ask again when the handshake is complete. */
export const TOO_EARLY = 425

/** The first value of a header, null when absent; `name` in lower case. */
export function headerValue(headers: readonly Header[], name: string): string | null {
  for (const [candidate, value] of headers) if (candidate === name) return value
  return null
}

const encoder = new TextEncoder()

/** The length a body is known to have, null for a stream. */
export function knownLength(body: BodySource): number | null {
  if (body === null) return 0
  if (typeof body === 'string') return Buffer.byteLength(body)
  return body instanceof Uint8Array ? body.byteLength : null
}

/** The pieces of any body. */
export async function* bodyPieces(body: BodySource): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return
  if (typeof body === 'string') yield encoder.encode(body)
  else if (body instanceof Uint8Array) yield body
  else yield* body
}
