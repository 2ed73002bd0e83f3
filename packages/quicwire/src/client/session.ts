// The client's view of one HTTP/3 connection. connect.ts implements it over the driver.

import type { MasqueClient } from '@quicwire/driver'
import type { HeaderCompressionStats } from '../http/header-compression.ts'
import type { BodySource, ByteStream, Header, Priority } from '../http/message.ts'

export interface RequestInit {
  /** Default GET. */
  readonly method?: string
  readonly headers?: readonly Header[]
  readonly body?: BodySource
  /** Told to the server in the `priority` field; orders what we send as well. Default: none said, which means urgency 3. */
  readonly priority?: Priority
  /** Names of headers that nobody on the way may put into a compression table, as in node:http2. Credentials and short cookies never are. */
  readonly sensitiveHeaders?: readonly string[]
  /** Called when the request has its stream, before there is a response. Again when it is sent once more after a 425. */
  readonly onSent?: (request: SentRequest) => void
  /** Called for each interim response (1xx) that comes before the final one. */
  readonly onInformational?: (status: number, headers: readonly Header[]) => void
  /** Aborting cancels the request (H3_REQUEST_CANCELLED); the connection goes on. */
  readonly signal?: AbortSignal
}

/** A request under way. */
export interface SentRequest {
  readonly streamId: number
  /** Another priority from now on, here and at the server (PRIORITY_UPDATE, RFC 9218 §7). What is left out has its default. Throws RangeError. */
  setPriority(priority: Priority): void
}

export interface IncomingResponse extends SentRequest {
  readonly status: number
  readonly headers: readonly Header[]
  /** Names of the headers that came never-indexed (RFC 9204 §7.1.3): who forwards the response hands them on. */
  readonly sensitiveHeaders: readonly string[]
  /** Taking no more holds the server back; leaving the loop early cancels the rest. */
  readonly body: ByteStream
  /** Known once the body has ended; empty when there are none. */
  readonly trailers: readonly Header[]
  /** All of the body. */
  bytes(): Promise<Uint8Array>
  /** All of the body as UTF-8. */
  text(): Promise<string>
}

/** What a handshake settled, in words. */
export interface SessionInfo {
  readonly remoteAddress: string
  readonly serverName: string
  /** 'TLS_AES_128_GCM_SHA256' … */
  readonly cipher: string
  /** 'x25519' … */
  readonly keyExchange: string
  readonly alpn: string
  /** Of the server's certificate: SHA-256 of the DER in hex; '' when there was none. */
  readonly certificateSha256: string
  /** A session of an earlier connection was continued; the certificate is the one seen then. */
  readonly resumed: boolean
  readonly handshakeMs: number
}

export interface SessionStats {
  readonly packetsSent: number
  readonly packetsReceived: number
  readonly packetsLost: number
  readonly qpack: HeaderCompressionStats
}

export interface Session {
  /** In early data what is not settled yet is empty. */
  readonly info: SessionInfo
  /** Host, and the port unless it is 443. */
  readonly authority: string
  /** Tunnels on this connection; connectUdp() and its like take the session itself. */
  readonly masque: MasqueClient
  /**
   * The origins the server would like this connection to be used for (ORIGIN, RFC 9412), the one connected to among them; null while it has not said
   * any, which restricts nothing. Each has to be in its certificate before a request goes there (RFC 8336 §2.4).
   */
  readonly origins: readonly string[] | null
  /** True once no new request can be made: after GOAWAY, close() or a failure. */
  readonly closed: boolean
  /** Resolves with the response's head. Waits while the server's stream limit is reached. */
  request(path: string, init?: RequestInit): Promise<IncomingResponse>
  /** Counters so far; they stay readable after close(). */
  stats(): SessionStats
  /** Lets running requests end, then closes with H3_NO_ERROR. */
  close(): Promise<void>
}
