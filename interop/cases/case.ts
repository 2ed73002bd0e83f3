// A test case of quic-interop-runner as data: what both sides are told, what the network does, how the run is judged.

import type { Role } from '../runner/endpoint.ts'

export interface InteropCase {
  /** As in the runner, such as `longrtt`, and its short form there, `LR`. */
  readonly name: string
  readonly abbreviation: string
  readonly kind: 'test' | 'measurement'
  /** TESTCASE of each side. */
  readonly testcase: Readonly<Record<Role, string>>
  readonly host: 'server4' | 'server6' | 'server46'
  readonly files: readonly WantedFile[]
  /** In the simulator's words, such as `simple-p2p --delay=15ms --bandwidth=10Mbps --queue=25`. */
  readonly scenario: string
  readonly timeoutMs: number
  /** Length of the server's certificate chain: 1, or 9 with the leaf that fills 7500 bytes. */
  readonly certificateChain: 1 | 9
  /** A TCP flow shares the link for the whole run. */
  readonly crossTraffic: boolean
  /** Times it is run; a measurement's figure is their mean. */
  readonly repetitions: number
  /** Judges a run whose endpoints came to a normal end. Never throws for what is in the capture. */
  check(run: RunRecord): Promise<Verdict>
}

export interface WantedFile {
  readonly sizeBytes: number
  /** Characters of its name, lowercase letters; undefined: three words. */
  readonly nameLength?: number
}

/** What a run has left behind. Paths are absolute. */
export interface RunRecord {
  /** Packets seen by the client, before impairment on their way to the server and after it on their way back: pcap, LINKTYPE_RAW. */
  readonly leftCapture: string
  /** The same as the server sees it. */
  readonly rightCapture: string
  /** NSS key logs, the client's first; those that exist. */
  readonly keyLogs: readonly string[]
  readonly www: string
  readonly downloads: string
  /** Names of the files asked for, under `www`. */
  readonly files: readonly string[]
}

export type Verdict =
  /** A measurement says what it measured, in kbit/s. */
  | { readonly kind: 'passed'; readonly kilobitsPerSecond?: number; readonly remark?: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'unsupported'; readonly by: Role }
  | { readonly kind: 'not-verified'; readonly reason: string }
