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
  /** Called for each interim response (1xx) that comes before the final one. */
  readonly onInformational?: (status: number, headers: readonly Header[]) => void
  /** Aborting cancels the request (H3_REQUEST_CANCELLED); the connection goes on. */
  readonly signal?: AbortSignal
}

export interface IncomingResponse {
  readonly status: number
  readonly headers: readonly Header[]
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
  /** True once no new request can be made: after GOAWAY, close() or a failure. */
  readonly closed: boolean
  /** Resolves with the response's head. Waits while the server's stream limit is reached. */
  request(path: string, init?: RequestInit): Promise<IncomingResponse>
  /** Counters so far; they stay readable after close(). */
  stats(): SessionStats
  /** Lets running requests end, then closes with H3_NO_ERROR. */
  close(): Promise<void>
}
