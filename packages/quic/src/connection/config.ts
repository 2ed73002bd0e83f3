// What a connection is made from. Everything has a default but the crypto provider, the randomness and, on a server,
// the certificates.

import type { RandomSource } from '../base/random.ts'
import type { ConnectionIdGenerator } from '../cid/generator.ts'
import type { CongestionController } from '../congestion/controller.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import type { TlsConfig } from '../tls/engine.ts'
import type { TraceSink } from '../trace/sink.ts'

/** TLS settings an application gives; the connection adds role, randomness and transport parameters itself. */
export type TlsSettings = Omit<TlsConfig, 'role' | 'provider' | 'random' | 'transportParameters'>

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
  /** Unsent and unacknowledged bytes a stream takes from the application. Default 256 KiB. */
  readonly sendBufferLimit: number
  /** RFC 9221; 0 refuses DATAGRAM frames. Default 65 535. */
  readonly maxDatagramFrameSize: number
  /** The largest UDP payload accepted. Default 65 527. */
  readonly maxUdpPayloadSize: number
  /** The UDP payload sent, at least 1200. Default 1200. */
  readonly datagramSize: number
  /** RFC 9000 §13.2.1. Default 25. */
  readonly maxAckDelay: number
  /** RFC 9002 §6.2.2. Default 333. */
  readonly initialRtt: number
  /** Connection IDs the peer may hand us. Default 4. */
  readonly activeConnectionIdLimit: number
}

export interface ConnectionConfig {
  readonly provider: CryptoProvider
  readonly random: RandomSource
  readonly tls: TlsSettings
  readonly transport?: Partial<TransportSettings>
  readonly createController?: (maxDatagramSize: number) => CongestionController
  readonly connectionIds: ConnectionIdGenerator
  /** Gives the stateless reset token of one of our connection IDs (RFC 9000 §10.3.2). Servers only. */
  readonly resetToken?: (connectionId: Uint8Array) => Uint8Array
  /** Called once per connection with the original destination connection ID. */
  readonly createTrace?: (originalDestinationConnectionId: Uint8Array, role: 'client' | 'server', now: number) => TraceSink | null
}

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
  maxUdpPayloadSize: 65_527,
  datagramSize: 1200,
  maxAckDelay: 25,
  initialRtt: 333,
  activeConnectionIdLimit: 4,
}

/** Fills the defaults in and refuses what the wire cannot say. Throws RangeError naming the setting. */
export function transportSettings(given: Partial<TransportSettings> | undefined): TransportSettings {
  const settings = { ...DEFAULTS, ...given }
  for (const [name, value] of Object.entries(settings)) {
    if (!Number.isFinite(value) || value < 0) throw new RangeError(`transport setting ${name} must be a finite number >= 0, not ${value}`)
  }
  if (settings.datagramSize < 1200 || settings.datagramSize > 65_527) {
    throw new RangeError(`transport setting datagramSize must be between 1200 and 65527 (RFC 9000 §14), not ${settings.datagramSize}`)
  }
  if (settings.maxUdpPayloadSize < 1200) throw new RangeError('transport setting maxUdpPayloadSize must be at least 1200 (RFC 9000 §18.2)')
  if (settings.activeConnectionIdLimit < 2) throw new RangeError('transport setting activeConnectionIdLimit must be at least 2 (RFC 9000 §18.2)')
  return settings
}
