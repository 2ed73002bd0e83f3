// What the runs ask of a stack: to be there, to serve a folder, to download a file, to load a page.

import type { Child } from '../process/child.ts'

/** Files that every process of one case may use; paths are absolute. */
export interface CaseFiles {
  /** PEM, for localhost and 127.0.0.1; its own trust anchor. */
  readonly certificate: string
  readonly key: string
  /** Base64 of the SHA-256 of the certificate's SubjectPublicKeyInfo. */
  readonly spkiHash: string
  /** Logs of the case: output, key log, qlog. */
  readonly logDirectory: string
}

export interface RunningServer {
  readonly port: number
  stop(): Promise<void>
}

export interface PageReport {
  /** nextHopProtocol of the page itself. */
  readonly page: string
  readonly images: readonly PageImage[]
  /** SHA-256 in hex of the file that the page fetched as well. */
  readonly fileSha256: string
  readonly fileProtocol: string
}

export interface PageImage {
  readonly name: string
  readonly protocol: string
  readonly width: number
  readonly height: number
  readonly bytes: number
}

/** What an `exchange` sends. */
export interface PeerRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** A file to send as the body, null for none. */
  readonly upload: string | null
  /** Fields x-field-N to add to the request, each with the 90 digits of N as its value. */
  readonly fields: number
}

/** What came back, as the peer saw it. */
export interface PeerAnswer {
  /** The statuses of interim responses, in order. */
  readonly informational: readonly number[]
  readonly status: number
  /** The last value of each name, in lower case; without those that `fields` counts. */
  readonly headers: Readonly<Record<string, string>>
  /** Fields x-field-N with the 90 digits of N as the value. */
  readonly fields: number
  readonly bodyLength: number
  /** In hex. */
  readonly bodySha256: string
  readonly trailers: Readonly<Record<string, string>>
}

/** How a peer is to do TLS. Groups and cipher suites by their IANA names, in lower case for groups. */
export interface TlsServerWish {
  /** Takes only these; null: its own choice. */
  readonly groups: readonly string[] | null
  /** PEM file: demands a certificate of this authority; null: asks for none. */
  readonly clientAuthority: string | null
  readonly earlyData: boolean
}

export interface TlsClientWish {
  /** One after the other, each resuming the session of the one before if it can; each downloads the file. */
  readonly connections: number
  /** The later ones send their request in 0-RTT. */
  readonly early: boolean
  /** To show when asked. */
  readonly identity: { readonly certificate: string; readonly key: string } | null
}

export interface TlsPeer {
  /** Null: its program cannot do that. */
  serve(root: string, wish: TlsServerWish, files: CaseFiles): Promise<RunningServer> | null
  /** Rejects when one of the connections failed. */
  visit(port: number, name: string, wish: TlsClientWish, files: CaseFiles, timeoutMs: number): Promise<void>
  /** Its client sends shares for all of its groups: a server that takes one of them has nothing to retry. */
  readonly withoutRetry?: boolean
  /** It does handshakes only: nobody answers requests, and it makes none. */
  readonly withoutHttp?: boolean
  /** Groups it has, beside x25519, secp256r1 and secp384r1. */
  readonly groups: readonly string[]
}

export interface Peer {
  readonly name: string
  readonly tls?: TlsPeer
  /** Cases this version fails through its own fault: 'ROLE: CASE' to the reason. */
  readonly faults?: Readonly<Record<string, string>>
  /** Its QPACK has dynamic tables in both directions. */
  readonly dynamicTable?: boolean
  /** Makes it available; resolves with its version, rejects with InstallError. */
  install(): Promise<string>
  /** Serves `root` over HTTP/3 on 127.0.0.1; resolves when it answers. */
  serve?(root: string, files: CaseFiles): Promise<RunningServer>
  /** Its server answers the paths under /-/ that `http/conversation.ts` describes. */
  readonly answersConversation?: boolean
  /**
   * Downloads each /NAME from that port of 127.0.0.1 into the folder `output` under the same name, side by side on one
   * connection. Rejects when it cannot.
   */
  download?(port: number, names: readonly string[], output: string, files: CaseFiles, timeoutMs: number): Promise<void>
  /** One request to that port of 127.0.0.1, on a connection of its own. Rejects when no complete response came. */
  exchange?(port: number, request: PeerRequest, files: CaseFiles, timeoutMs: number): Promise<PeerAnswer>
  /** Sends a file with POST and reads the response to its end; for a program that cannot tell what the response was. */
  upload?(port: number, path: string, file: string, files: CaseFiles, timeoutMs: number): Promise<void>
  /** Loads https://localhost:PORT/PAGE in a browser, and fetches /FILE from within it. */
  loadPage?(port: number, page: string, file: string, files: CaseFiles, timeoutMs: number): Promise<PageReport>
}

export class InstallError extends Error {
  override readonly name: string = 'InstallError'
}

export function serverOf(child: Child, port: number): RunningServer {
  return { port, stop: () => child.stop() }
}
