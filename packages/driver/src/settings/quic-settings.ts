// QUIC settings of a listener or a connection: the engine's transport settings and what this package adds to them.

import { Bbr, Cubic, NewReno } from '@quicwire/quic'
import type { ConnectionConfig, CongestionControllerFactory, PreferredAddressConfig, TransportSettings, VersionSettings } from '@quicwire/quic'
import { OptionError } from '../errors.ts'
import type { QlogCompression } from '../io/trace-files.ts'
import type { DatagramSocket } from '../io/datagram-socket.ts'

/** What may be said of versions; what follows from Version Negotiation is connect()'s business. */
type VersionChoice = Omit<VersionSettings, 'afterVersionNegotiation'>

export interface QuicSettings extends Partial<TransportSettings>, VersionChoice {
  /** Whether DATAGRAM frames are accepted (RFC 9221). Default true. */
  readonly enableDgram?: boolean | undefined
  /** Incoming connections that nobody has taken yet; more are refused. Default 1024. */
  readonly listenBacklog?: number | undefined
  /** Connections one listener carries; more are refused. Default 100 000. */
  readonly maxConnections?: number | undefined
  /** Where TLS secrets are logged in NSS format. Default: the environment's SSLKEYLOGFILE. */
  readonly keylogFile?: string | undefined
  /** Folder for one `<odcid>_<role>.sqlog` per connection. Default: the environment's QLOGDIR. */
  readonly qlogDir?: string | undefined
  /** `zstd` needs a Node whose zlib has it. Default `none`. */
  readonly qlogCompression?: QlogCompression | undefined
  /**
   * Servers: further addresses of the listener (ListenOptions.addresses), as clients see them, that clients go to once the handshake is
   * confirmed (RFC 9000 §9.6). Clients: 'follow', the default, goes there, on another socket where the connection has its own; 'ignore' stays.
   */
  readonly preferredAddress?: PreferredAddressConfig | 'follow' | 'ignore' | undefined
  /** The congestion controller by name: CUBIC with HyStart++ (RFC 9438), NewReno (RFC 9002 §7), BBR. Default `cubic`. */
  readonly ccAlgorithm?: CongestionAlgorithm | undefined
  /** A controller of one's own, or one of them with settings of its own, in place of `ccAlgorithm`. */
  readonly createController?: ConnectionConfig['createController']
}

export type CongestionAlgorithm = 'cubic' | 'reno' | 'bbr'

const CONTROLLERS: ReadonlyMap<string, CongestionControllerFactory> = new Map<CongestionAlgorithm, CongestionControllerFactory>([
  ['cubic', (mtu) => new Cubic(mtu)],
  ['reno', (mtu) => new NewReno(mtu)],
  ['bbr', (mtu) => new Bbr(mtu)],
])

export const DEFAULT_LISTEN_BACKLOG = 1024
export const DEFAULT_MAX_CONNECTIONS = 100_000

/** Windows and send buffer that keep a fast path busy: the engine's own defaults are those of a small client. */
const DRIVER_DEFAULTS: Partial<TransportSettings> = {
  initialMaxData: 10_000_000,
  initialMaxStreamData: 1_000_000,
  sendBufferLimit: 1024 * 1024,
}

/** All of them: one that were left out would be ignored without a word. */
const TRANSPORT_NAMES: Readonly<Record<keyof TransportSettings, true>> = {
  maxIdleTimeout: true,
  handshakeTimeout: true,
  initialMaxData: true,
  initialMaxStreamData: true,
  initialMaxStreamsBidi: true,
  initialMaxStreamsUni: true,
  maxConnectionWindow: true,
  maxStreamWindow: true,
  sendBufferLimit: true,
  maxDatagramFrameSize: true,
  dropOldestDatagrams: true,
  maxUdpPayloadSize: true,
  datagramSize: true,
  mtuDiscovery: true,
  maxProbeSize: true,
  ecnCapable: true,
  maxAckDelay: true,
  ackDelayExponent: true,
  ackFrequency: true,
  skipPacketNumbers: true,
  initialRtt: true,
  activeConnectionIdLimit: true,
  disableActiveMigration: true,
  keepAliveInterval: true,
  grease: true,
  greaseQuicBit: true,
  resetStreamAt: true,
}

/** A socket that cannot mark and read ECN has the last word on it. */
export function configForSocket(config: ConnectionConfig, socket: DatagramSocket): ConnectionConfig {
  const wanted = config.transport?.ecnCapable ?? true
  return { ...config, transport: { ...config.transport, ecnCapable: wanted && socket.features.ecn } }
}

/** The engine's part of the settings. */
export function transportPart(settings: QuicSettings): Partial<TransportSettings> {
  const part: { -readonly [K in keyof TransportSettings]?: TransportSettings[K] } = { ...DRIVER_DEFAULTS }
  const names = Object.keys(TRANSPORT_NAMES) as (keyof TransportSettings)[]
  const given = names.filter((name) => settings[name] !== undefined).map((name) => [name, settings[name]] as const)
  Object.assign(part, Object.fromEntries(given))
  if (settings.enableDgram === false) part.maxDatagramFrameSize = 0
  return part
}

/** The congestion controller of the settings. Throws OptionError for a name that is none, as from a configuration file. */
export function controllerPart({ ccAlgorithm, createController }: QuicSettings): Pick<ConnectionConfig, 'createController'> {
  if (createController !== undefined) return { createController }
  if (ccAlgorithm === undefined) return {}
  const named = CONTROLLERS.get(ccAlgorithm)
  if (named === undefined) throw new OptionError(`ccAlgorithm is one of ${[...CONTROLLERS.keys()].join(', ')}, not ${ccAlgorithm}`)
  return { createController: named }
}

/** The QUIC versions in the settings. */
export function versionPart({ versions, originalVersion, preferredVersion }: QuicSettings): VersionChoice {
  return {
    ...(versions === undefined ? {} : { versions }),
    ...(originalVersion === undefined ? {} : { originalVersion }),
    ...(preferredVersion === undefined ? {} : { preferredVersion }),
  }
}
