// The network between a client and a server under test. Back ends: `tun` (network namespaces, whole IP packets; root on Linux) and
// `relay` (UDP through this process on loopback; any user).

import type { Role } from '../runner/endpoint.ts'

export interface LinkOptions {
  /** In the simulator's words, such as `drop-rate --delay=15ms --bandwidth=10Mbps --queue=25 --rate_to_server=2 …`. */
  readonly scenario: string
  /** Of every random decision. */
  readonly seed: number
  /** What becomes of a packet that the scenario corrupts: lost, as in the runner's simulator today, or delivered with a changed byte. */
  readonly corruption: 'drop' | 'deliver'
  /** Where the captures go. */
  readonly directory: string
}

export interface Link {
  readonly backend: 'tun' | 'relay'
  readonly leftCapture: string
  readonly rightCapture: string
  /** `command` with what makes it run on the client's or the server's host. */
  place(role: Role, command: readonly string[]): readonly string[]
  /** Variables that an endpoint of that role needs here (runner/endpoint.ts), such as LISTEN_PORT. */
  environment(role: Role): Readonly<Record<string, string>>
  /** Host and port for URLs, such as `server4:443`. */
  authority(host: 'server4' | 'server6' | 'server46'): string
  /** Sends the runner's Version Negotiation probes until the server answers; they are in no capture. False when it did not. */
  awaitServer(timeoutMs: number): Promise<boolean>
  /**
   * Before the client is started. From here on there are captures; the scenario's own clock runs from the client's first packet, so that a program that
   * is slow to start does not miss what should happen to it.
   */
  start(): void
  /** A TCP flow towards the client's side shares the link from here on; undefined where that cannot be. */
  readonly startCrossTraffic?: () => Promise<void>
  /** Ends it and completes the captures. */
  close(): Promise<void>
}
