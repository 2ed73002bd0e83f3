// QUIC settings of a listener or a connection: the engine's transport settings and what this package adds to them.

import type { ConnectionConfig, PreferredAddressConfig, TransportSettings, VersionSettings } from '@quicwire/quic'
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
  /** The congestion controller. Default: the engine's. */
  readonly createController?: ConnectionConfig['createController']
}

export const DEFAULT_LISTEN_BACKLOG = 1024
export const DEFAULT_MAX_CONNECTIONS = 100_000

/** Windows and send buffer that keep a fast path busy: the engine's own defaults are those of a small client. */
const DRIVER_DEFAULTS: Partial<TransportSettings> = {
  initialMaxData: 10_000_000,
  initialMaxStreamData: 1_000_000,
  sendBufferLimit: 1024 * 1024,
}

const TRANSPORT_NAMES: readonly (keyof TransportSettings)[] = [
  'maxIdleTimeout',
  'handshakeTimeout',
  'initialMaxData',
  'initialMaxStreamData',
  'initialMaxStreamsBidi',
  'initialMaxStreamsUni',
  'maxConnectionWindow',
  'maxStreamWindow',
  'sendBufferLimit',
  'maxDatagramFrameSize',
  'dropOldestDatagrams',
  'maxUdpPayloadSize',
  'datagramSize',
  'mtuDiscovery',
  'maxProbeSize',
  'ecnCapable',
  'maxAckDelay',
  'initialRtt',
  'activeConnectionIdLimit',
  'disableActiveMigration',
  'keepAliveInterval',
  'grease',
  'greaseQuicBit',
  'resetStreamAt',
]

/** A socket that cannot mark and read ECN has the last word on it. */
export function configForSocket(config: ConnectionConfig, socket: DatagramSocket): ConnectionConfig {
  const wanted = config.transport?.ecnCapable ?? true
  return { ...config, transport: { ...config.transport, ecnCapable: wanted && socket.features.ecn } }
}

/** The engine's part of the settings. */
export function transportPart(settings: QuicSettings): Partial<TransportSettings> {
  const part: { -readonly [K in keyof TransportSettings]?: TransportSettings[K] } = { ...DRIVER_DEFAULTS }
  const given = TRANSPORT_NAMES.filter((name) => settings[name] !== undefined).map((name) => [name, settings[name]] as const)
  Object.assign(part, Object.fromEntries(given))
  if (settings.enableDgram === false) part.maxDatagramFrameSize = 0
  return part
}

/** The QUIC versions in the settings. */
export function versionPart({ versions, originalVersion, preferredVersion }: QuicSettings): VersionChoice {
  return {
    ...(versions === undefined ? {} : { versions }),
    ...(originalVersion === undefined ? {} : { originalVersion }),
    ...(preferredVersion === undefined ? {} : { preferredVersion }),
  }
}
