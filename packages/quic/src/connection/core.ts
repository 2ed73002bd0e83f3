// The rooms of one connection as a plain struct, built once by connection.ts and passed to the pipelines. A pipeline
// function names the slice it needs; nothing here has behaviour of its own.

import type { RandomSource } from '../base/random.ts'
import type { Ring } from '../base/ring.ts'
import type { LocalConnectionIds } from '../cid/local-connection-ids.ts'
import type { RemoteConnectionIds } from '../cid/remote-connection-ids.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import type { DatagramQueue } from '../datagram/queue.ts'
import type { MigrationRules } from '../path/migration-rules.ts'
import type { Paths } from '../path/paths.ts'
import type { LossTimer, PtoState, RecoverySituation } from '../recovery/pto.ts'
import type { SentPacketPool } from '../recovery/sent-packet.ts'
import type { AckFrequencyRequest } from '../space/ack-frequency-request.ts'
import type { Spaces } from '../space/spaces.ts'
import type { Streams } from '../stream/streams.ts'
import type { TlsEngine } from '../tls/engine.ts'
import type { TraceSink } from '../trace/sink.ts'
import type { TransportSettings } from './config.ts'
import type { ConnectionEvent } from './events.ts'
import type { EarlyData } from './handshake/early-data.ts'
import type { HandshakeFacts } from './handshake/handshake-facts.ts'
import type { Versions } from './handshake/version-choice.ts'
import type { NewToken } from './handshake/new-token.ts'
import type { ServerTokens } from './handshake/token-store.ts'
import type { IdleTimer } from './idle.ts'
import type { KeyPhase } from './key-phase.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { DeferredPackets } from './receive/deferred-packets.ts'
import type { ReceiveScratch } from './receive/receive-scratch.ts'
import type { ConnectionAddressing } from './send/connection-addressing.ts'
import type { SendScratch } from './send/send-scratch.ts'
import type { ConnectionStats } from './stats.ts'

export type Role = 'client' | 'server'

export interface ConnectionCore {
  readonly role: Role
  readonly settings: TransportSettings
  /** Bytes of every connection ID we issue. */
  readonly localIdLength: number
  readonly provider: CryptoProvider
  readonly random: RandomSource
  readonly lifecycle: Lifecycle
  readonly handshake: HandshakeFacts
  readonly versions: Versions
  readonly early: EarlyData
  readonly newToken: NewToken
  readonly serverTokens: ServerTokens
  readonly tls: TlsEngine
  readonly spaces: Spaces
  readonly paths: Paths
  readonly migration: MigrationRules
  readonly streams: Streams
  readonly datagrams: DatagramQueue
  readonly localIds: LocalConnectionIds
  readonly remoteIds: RemoteConnectionIds
  readonly pto: PtoState
  readonly lossTimer: LossTimer
  readonly situation: RecoverySituation
  readonly ackFrequency: AckFrequencyRequest
  readonly keyPhase: KeyPhase
  readonly idle: IdleTimer
  readonly packetPool: SentPacketPool
  readonly deferred: DeferredPackets
  readonly receiving: ReceiveScratch
  readonly sending: SendScratch
  readonly addressing: ConnectionAddressing
  readonly events: Ring<ConnectionEvent>
  readonly stats: ConnectionStats
  readonly trace: TraceSink | null
}
