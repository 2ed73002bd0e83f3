// The values of TESTCASE as data: how each side is set up. A value that is in neither table is not supported (exit status 127).

import { ffiSupport, VERSION_1, VERSION_2, type ClientTlsOptions, type QuicSettings, type ServerTlsOptions } from '@quicwire/driver'

/** hq: all files on one connection. each: a connection per file. resumed: the first file on one, the others on a second that resumes it. */
export type ClientManner = 'hq' | 'each' | 'resumed' | 'h3' | 'version-negotiation'

export interface ClientPlan {
  readonly manner: ClientManner
  readonly settings: QuicSettings
  readonly tls: Pick<ClientTlsOptions, 'cipherSuites' | 'groups' | 'grease' | 'certificateCompression'>
  /** 0-RTT on the connection that resumes. */
  readonly early: boolean
  readonly updateKeys: boolean
  /** Packets are marked, and marks are read. */
  readonly marks: boolean
}

export interface ServerPlan {
  readonly manner: 'hq' | 'h3'
  readonly settings: QuicSettings
  readonly tls: Pick<ServerTlsOptions, 'cipherSuites' | 'earlyData' | 'certificateCompression'>
  /** Every client has to validate its address by a Retry. */
  readonly retry: boolean
  /** Clients are moved to the preferred address. */
  readonly migrates: boolean
  /** Packets are marked, and marks are read. */
  readonly marks: boolean
}

const CHACHA20_POLY1305 = 'TLS_CHACHA20_POLY1305_SHA256'

const MINUTE = 60_000
const KIB = 1024

// Elsewhere a peer that upgrades by itself (RFC 9368) would break the runner's rule that a run has one version.
const BOTH: QuicSettings = {
  versions: [VERSION_1],
  // Attempts are never given up: another one would count as another handshake.
  handshakeTimeout: 5 * MINUTE,
}

// Small enough for MAX_DATA and MAX_STREAM_DATA to matter, large enough for the runner's links.
const CLIENT: QuicSettings = { ...BOTH, initialMaxData: 512 * KIB, initialMaxStreamData: 256 * KIB }

const V2: QuicSettings = { versions: [VERSION_2, VERSION_1], originalVersion: VERSION_1, preferredVersion: VERSION_2 }

/** Idle for longer than a run of lost probes lasts at 30 %; and without probes of the MTU, which cost packets only. */
const LOSSY: QuicSettings = { maxIdleTimeout: 3 * MINUTE, mtuDiscovery: false }

/** Every 1-RTT packet of the client counts against the case. */
const FRUGAL: QuicSettings = { mtuDiscovery: false }

// A ClientHello in one datagram: the runner counts datagrams to drop, and the requests of 0-RTT share the first window with it.
// The compressed form of the runner's large chain would be too small for its test of the amplification limit.
const CLIENT_TLS: ClientPlan['tls'] = { groups: ['x25519', 'secp256r1', 'secp384r1'], certificateCompression: false }
const SERVER_TLS: ServerPlan['tls'] = { certificateCompression: false }

const client: ClientPlan = { manner: 'hq', settings: CLIENT, tls: CLIENT_TLS, early: false, updateKeys: false, marks: false }
const server: ServerPlan = { manner: 'hq', settings: BOTH, tls: SERVER_TLS, retry: false, migrates: false, marks: false }

const clientPlans: ReadonlyMap<string, ClientPlan> = new Map<string, ClientPlan>([
  ['handshake', client],
  ['transfer', client],
  // Nothing else may be offered, reserved values included.
  ['chacha20', { ...client, tls: { ...CLIENT_TLS, cipherSuites: [CHACHA20_POLY1305], grease: false } }],
  ['retry', client],
  ['resumption', { ...client, manner: 'resumed' }],
  ['zerortt', { ...client, manner: 'resumed', settings: { ...CLIENT, ...FRUGAL }, early: true }],
  // With the ClientHello that HTTP/3 users get.
  ['http3', { ...client, manner: 'h3', tls: { certificateCompression: false } }],
  ['keyupdate', { ...client, updateKeys: true }],
  ['multiconnect', { ...client, manner: 'each', settings: { ...CLIENT, ...LOSSY } }],
  ['v2', { ...client, settings: { ...CLIENT, ...V2 } }],
  ['ecn', { ...client, marks: true }],
  ['versionnegotiation', { ...client, manner: 'version-negotiation' }],
])

const serverPlans: ReadonlyMap<string, ServerPlan> = new Map<string, ServerPlan>([
  ['handshake', server],
  ['transfer', server],
  ['chacha20', { ...server, tls: { ...SERVER_TLS, cipherSuites: [CHACHA20_POLY1305] } }],
  ['retry', { ...server, retry: true }],
  ['resumption', server],
  ['zerortt', { ...server, settings: { ...BOTH, ...FRUGAL }, tls: { ...SERVER_TLS, earlyData: true } }],
  ['http3', { ...server, manner: 'h3' }],
  ['multiconnect', { ...server, settings: { ...BOTH, ...LOSSY } }],
  ['v2', { ...server, settings: { ...BOTH, ...V2 } }],
  ['ecn', { ...server, marks: true }],
  ['connectionmigration', { ...server, migrates: true }],
  ['versionnegotiation', server],
])

/** Null: not supported, here or at all. */
export function clientPlan(testcase: string): ClientPlan | null {
  return possible(clientPlans.get(testcase))
}

/** Null: not supported, here or at all. */
export function serverPlan(testcase: string): ServerPlan | null {
  return possible(serverPlans.get(testcase))
}

/** node:dgram neither sets marks nor reads them. */
function possible<Plan extends { readonly marks: boolean }>(plan: Plan | undefined): Plan | null {
  return plan === undefined || (plan.marks && !ffiSupport().available) ? null : plan
}

/** Of either role. */
export const TESTCASES: readonly string[] = [...new Set([...clientPlans.keys(), ...serverPlans.keys()])]
