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

export interface Peer {
  readonly name: string
  /** Makes it available; resolves with its version, rejects with InstallError. */
  install(): Promise<string>
  /** Serves `root` over HTTP/3 on 127.0.0.1; resolves when it answers. */
  serve?(root: string, files: CaseFiles): Promise<RunningServer>
  /** Downloads /NAME from that port of 127.0.0.1 into the folder `output` under the same name. Rejects when it cannot. */
  download?(port: number, name: string, output: string, files: CaseFiles, timeoutMs: number): Promise<void>
  /** Loads https://localhost:PORT/PAGE in a browser, and fetches /FILE from within it. */
  loadPage?(port: number, page: string, file: string, files: CaseFiles, timeoutMs: number): Promise<PageReport>
}

export class InstallError extends Error {
  override readonly name: string = 'InstallError'
}

export function serverOf(child: Child, port: number): RunningServer {
  return { port, stop: () => child.stop() }
}
