// What a connection is made from. Everything has a default but the crypto provider, the randomness and, on a server,
// the certificates.

import type { RandomSource } from '../base/random.ts'
import type { ConnectionIdGenerator } from '../cid/generator.ts'
import type { CongestionController } from '../congestion/controller.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import type { PreferredAddressConfig } from '../path/preferred-address.ts'
import type { TlsConfig } from '../tls/engine.ts'
import type { TraceSink } from '../trace/sink.ts'
import { SUPPORTED_VERSIONS, knownVersion, versionName } from '../wire/version.ts'
import type { TokenStore } from './handshake/token-store.ts'

/** TLS settings an application gives; the connection adds role, randomness and transport parameters itself. */
export type TlsSettings = Omit<TlsConfig, 'role' | 'provider' | 'random' | 'transportParameters' | 'sessionVersion'>

/** Limits and timers announced to the peer or kept locally. Sizes in bytes, times in milliseconds. */
export interface TransportSettings {
  /** RFC 9000 §10.1; 0 disables. Default 30 000. */
  readonly maxIdleTimeout: number
  /** Give up a handshake that takes longer. Default 10 000. */
  readonly handshakeTimeout: number
  /** Default 1 MiB; grows up to `maxConnectionWindow`. */
  readonly initialMaxData: number
  /** Default 256 KiB; grows up to `maxStreamWindow`. */
  readonly initialMaxStreamData: number
  /** Default 100. */
  readonly initialMaxStreamsBidi: number
  /** Default 100. */
  readonly initialMaxStreamsUni: number
  /** Auto-tuning stops here. Default 24 MiB. */
  readonly maxConnectionWindow: number
  /** Auto-tuning stops here. Default 16 MiB. */
  readonly maxStreamWindow: number
  /** Bytes a stream takes from the application ahead of what has been sent. Default 256 KiB. */
  readonly sendBufferLimit: number
  /** RFC 9221; 0 refuses DATAGRAM frames. Default 65 535. */
  readonly maxDatagramFrameSize: number
  /** A full send queue drops its oldest datagram instead of refusing the newest. Default false. */
  readonly dropOldestDatagrams: boolean
  /** The largest UDP payload accepted. Default 65 527. */
  readonly maxUdpPayloadSize: number
  /** The UDP payload sent at first, at least 1200; larger ones come with MTU discovery. Default 1200. */
  readonly datagramSize: number
  /** Finds the largest UDP payload each path takes (RFC 8899). Default true. */
  readonly mtuDiscovery: boolean
  /** The largest UDP payload probed for. Default 0: what the path's address says, else 65 527. */
  readonly maxProbeSize: number
  /** The socket can mark and read the ECN field of IP headers: packets are marked where a path carries the marks. Default false. */
  readonly ecnCapable: boolean
  /** RFC 9000 §13.2.1. Default 25. */
  readonly maxAckDelay: number
  /** RFC 9000 §18.2: ACK Delay fields count in 2^this microseconds, 0 to 20. Default 3. */
  readonly ackDelayExponent: number
  /** Acknowledgments as often as the sender of data asks (draft-ietf-quic-ack-frequency): announced, and asked for where the peer does. Default true. */
  readonly ackFrequency: boolean
  /** Packet numbers are left out now and then, which unmasks peers that acknowledge what they have not received (RFC 9000 §21.4). Default true. */
  readonly skipPacketNumbers: boolean
  /** RFC 9002 §6.2.2. Default 333. */
  readonly initialRtt: number
  /** Connection IDs the peer may hand us. Default 4. */
  readonly activeConnectionIdLimit: number
  /**
   * Ask the peer not to migrate while it talks to the address of the handshake (disable_active_migration, RFC 9000 §18.2). A server
   * then drops packets from another address that come with a new connection ID, and follows those that look like a NAT rebinding.
   * Default false.
   */
  readonly disableActiveMigration: boolean
  /**
   * A PING goes out when nothing has been received for so long, whether streams are open or not (RFC 9000 §10.1.2): keeps the
   * connection from idling out and NATs from forgetting it. 0, the default: none. Below `maxIdleTimeout`, or it comes too late.
   */
  readonly keepAliveInterval: number
  /** Reserved versions and transport parameters, which peers must ignore (RFC 9000 §15, §18.1). Default true. */
  readonly grease: boolean
  /** Take packets with a clear QUIC bit, and send them to peers that do too (RFC 9287). Not where protocols share a port. Default true. */
  readonly greaseQuicBit: boolean
  /** Take RESET_STREAM_AT frames (draft-ietf-quic-reliable-stream-reset); streamResetAt() needs a peer that does. Default true. */
  readonly resetStreamAt: boolean
}

/** Which QUIC versions a connection may speak (RFC 9368). Version 1 is 1, version 2 is 0x6b3343cf. */
export interface VersionSettings {
  /** Versions spoken; a client's order of preference. Default: 1, then 2. */
  readonly versions?: readonly number[]
  /** Clients: the version of the first flight. Default: the first of `versions`. */
  readonly originalVersion?: number
  /** Servers: the version to move connections to when the client can (RFC 9368 §2.3). Default: what the client prefers. */
  readonly preferredVersion?: number
  /** Clients: this attempt answers a Version Negotiation packet; `originalVersion` is what it suggested. Default false. */
  readonly afterVersionNegotiation?: boolean
}

export interface ConnectionConfig extends VersionSettings {
  readonly provider: CryptoProvider
  readonly random: RandomSource
  readonly tls: TlsSettings
  readonly transport?: Partial<TransportSettings>
  /** Makes the congestion controller of a path. Default CUBIC (RFC 9438) with HyStart++; NewReno and BBR are there too. */
  readonly createController?: (maxDatagramSize: number) => CongestionController
  readonly connectionIds: ConnectionIdGenerator
  /** Clients: the destination connection ID of the first packet, 8 to 20 bytes. Default: 8 random ones. */
  readonly firstDestination?: Uint8Array
  /** Gives the stateless reset token of one of our connection IDs (RFC 9000 §10.3.2). Servers only. */
  readonly resetToken?: (connectionId: Uint8Array) => Uint8Array
  /**
   * Servers: another address of this server, which clients move to after the handshake (RFC 9000 §9.6); datagrams that arrive
   * there must come with it as `local`. Clients: 'follow' (the default) goes there; 'ignore' stays, for sockets that cannot send
   * elsewhere; migrate() may still go there.
   */
  readonly preferredAddress?: PreferredAddressConfig | 'follow' | 'ignore'
  /** Keeps address validation tokens under `tls.serverName` (RFC 9000 §8.1.3). Clients only; default: none are kept. */
  readonly tokenStore?: TokenStore
  /** Called once per connection with the original destination connection ID. */
  readonly createTrace?: (originalDestinationConnectionId: Uint8Array, role: 'client' | 'server', now: number) => TraceSink | null
}

/** Timers are no finer (RFC 9002 §6.1.2). Microseconds. */
const LEAST_ACK_DELAY = 1000

const KIB = 1024
const MIB = 1024 * KIB

const DEFAULTS: TransportSettings = {
  maxIdleTimeout: 30_000,
  handshakeTimeout: 10_000,
  initialMaxData: MIB,
  initialMaxStreamData: 256 * KIB,
  initialMaxStreamsBidi: 100,
  initialMaxStreamsUni: 100,
  maxConnectionWindow: 24 * MIB,
  maxStreamWindow: 16 * MIB,
  sendBufferLimit: 256 * KIB,
  maxDatagramFrameSize: 65_535,
  dropOldestDatagrams: false,
  maxUdpPayloadSize: 65_527,
  datagramSize: 1200,
  mtuDiscovery: true,
  maxProbeSize: 0,
  ecnCapable: false,
  maxAckDelay: 25,
  ackDelayExponent: 3,
  ackFrequency: true,
  skipPacketNumbers: true,
  initialRtt: 333,
  activeConnectionIdLimit: 4,
  disableActiveMigration: false,
  keepAliveInterval: 0,
  grease: true,
  greaseQuicBit: true,
  resetStreamAt: true,
}

/** Fills the defaults in and refuses what the wire cannot say. Throws RangeError naming the setting. */
export function transportSettings(given: Partial<TransportSettings> | undefined): TransportSettings {
  const settings = { ...DEFAULTS, ...given }
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === 'boolean') continue
    if (!Number.isFinite(value) || value < 0) throw new RangeError(`transport setting ${name} must be a finite number >= 0, not ${value}`)
  }
  if (settings.datagramSize < 1200 || settings.datagramSize > 65_527) {
    throw new RangeError(`transport setting datagramSize must be between 1200 and 65527 (RFC 9000 §14), not ${settings.datagramSize}`)
  }
  if (settings.maxProbeSize > 65_527) throw new RangeError(`transport setting maxProbeSize must be at most 65527, not ${settings.maxProbeSize}`)
  if (settings.maxUdpPayloadSize < 1200) throw new RangeError('transport setting maxUdpPayloadSize must be at least 1200 (RFC 9000 §18.2)')
  if (settings.activeConnectionIdLimit < 2) throw new RangeError('transport setting activeConnectionIdLimit must be at least 2 (RFC 9000 §18.2)')
  if (!Number.isInteger(settings.ackDelayExponent) || settings.ackDelayExponent > 20) {
    throw new RangeError(`transport setting ackDelayExponent must be an integer from 0 to 20 (RFC 9000 §18.2), not ${settings.ackDelayExponent}`)
  }
  return settings
}

/** draft-ietf-quic-ack-frequency §3: min_ack_delay in microseconds, never above max_ack_delay; -1 when the extension is off. */
export function minAckDelay(settings: Pick<TransportSettings, 'ackFrequency' | 'maxAckDelay'>): number {
  return settings.ackFrequency ? Math.min(LEAST_ACK_DELAY, settings.maxAckDelay * 1000) : -1
}

/** `versions`, checked. Throws RangeError for one that is not spoken here, and for an empty list. */
export function checkVersions(versions: readonly number[]): readonly number[] {
  if (versions.length === 0) throw new RangeError('versions needs at least one QUIC version')
  const unknown = versions.find((version) => !knownVersion(version))
  if (unknown !== undefined) throw new RangeError(`QUIC version ${versionName(unknown)} is not spoken here`)
  return versions
}

/** The version settings with their defaults. Throws RangeError for versions that are not among `versions`. */
export function versionSettings(given: VersionSettings): { versions: readonly number[]; original: number; preferred: number } {
  const versions = checkVersions(given.versions ?? SUPPORTED_VERSIONS)
  const original = given.originalVersion ?? versions[0]!
  const preferred = given.preferredVersion ?? 0
  if (!versions.includes(original)) throw new RangeError(`originalVersion ${versionName(original)} is not among versions`)
  if (preferred !== 0 && !versions.includes(preferred)) {
    throw new RangeError(`preferredVersion ${versionName(preferred)} is not among versions`)
  }
  return { versions, original, preferred }
}
