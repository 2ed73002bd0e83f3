/**
 * What a connection tells about itself: typed hooks, called at few named points as `trace?.packetSent(…)` or inside
 * `if (trace !== null)`. Numbers and borrowed values: a sink copies what it keeps. Times are ms on the caller's clock, packet types,
 * frame types, encryption levels and error codes the numbers of wire/constants. A sink must not throw and must not call back.
 */

/**
 * One frame of a packet. The pipeline pushes literals of this shape onto a list only while a trace is attached. Give the
 * fields that the frame type has; `type` alone is always enough.
 */
export interface FrameRecord {
  /** Frame type as on the wire. */
  readonly type: number
  /** Bytes of data: STREAM, CRYPTO, DATAGRAM, NEW_TOKEN; for PADDING the length of the run. */
  readonly length?: number
  readonly streamId?: number
  readonly offset?: number
  readonly fin?: boolean
  /** MAX_* and *_BLOCKED: the limit. */
  readonly maximum?: number
  /** RESET_STREAM, RESET_STREAM_AT, STOP_SENDING, CONNECTION_CLOSE. */
  readonly errorCode?: number | bigint
  readonly finalSize?: number
  /** RESET_STREAM_AT. */
  readonly reliableSize?: number
  /** ACK: ms. */
  readonly ackDelay?: number
  /** ACK: pairs smallest, largest, inclusive, newest first, `rangeCount` of them; borrowed. */
  readonly ranges?: Float64Array
  readonly rangeCount?: number
  /** ACK with ECN counts. */
  readonly ect0?: number
  readonly ect1?: number
  readonly ce?: number
  /** NEW_CONNECTION_ID, RETIRE_CONNECTION_ID. */
  readonly sequenceNumber?: number
  readonly retirePriorTo?: number
  readonly connectionId?: Uint8Array
  readonly statelessResetToken?: Uint8Array
  /** PATH_CHALLENGE, PATH_RESPONSE: the eight bytes. */
  readonly data?: Uint8Array
  /** ACK_FREQUENCY: its Sequence Number, packets, ms, packets. */
  readonly requestSequence?: number | bigint
  readonly ackElicitingThreshold?: number
  readonly requestedMaxAckDelay?: number
  readonly reorderingThreshold?: number
  /** CONNECTION_CLOSE. */
  readonly reason?: string
  /** CONNECTION_CLOSE (0x1c): the frame type that was at fault. */
  readonly frameType?: number
}

export type TraceSide = 'local' | 'remote'
export type TraceRole = 'client' | 'server'

/** Why a packet was sent beyond the ordinary. */
export const PacketPurpose = { ordinary: 0, ptoProbe: 1, mtuProbe: 2 } as const
export type PacketPurpose = (typeof PacketPurpose)[keyof typeof PacketPurpose]

export type PacketDropReason =
  | 'internal_error'
  | 'rejected'
  | 'unsupported'
  | 'invalid'
  | 'duplicate'
  | 'connection_unknown'
  | 'decryption_failure'
  | 'key_unavailable'
  | 'general'

export type CloseTrigger = 'idle_timeout' | 'application' | 'error' | 'version_mismatch' | 'stateless_reset' | 'aborted' | 'unspecified'

export type KeyTrigger = 'tls' | 'remote_update' | 'local_update'

export type TraceConnectionState =
  | 'attempted'
  | 'handshake_started'
  | 'handshake_complete'
  | 'peer_validated'
  | 'early_write'
  | 'handshake_confirmed'
  | 'closing'
  | 'draining'
  | 'closed'

export type TraceTimer = 'ack' | 'pto' | 'loss_timeout' | 'path_validation' | 'handshake_timeout' | 'idle_timeout'

export type EcnState = 'testing' | 'unknown' | 'failed' | 'capable'

/** The transport parameters worth tracing; wire TransportParameters is one. null and absent: not sent. */
export interface TraceParameters {
  /** e.g. 'AES_128_GCM_SHA256' */
  readonly tlsCipher?: string | null
  readonly originalDestinationConnectionId?: Uint8Array | null
  readonly initialSourceConnectionId?: Uint8Array | null
  readonly retrySourceConnectionId?: Uint8Array | null
  readonly statelessResetToken?: Uint8Array | null
  readonly disableActiveMigration?: boolean | null
  readonly maxIdleTimeout?: number | null
  readonly maxUdpPayloadSize?: number | null
  readonly ackDelayExponent?: number | null
  readonly maxAckDelay?: number | null
  readonly activeConnectionIdLimit?: number | null
  readonly initialMaxData?: number | null
  readonly initialMaxStreamDataBidiLocal?: number | null
  readonly initialMaxStreamDataBidiRemote?: number | null
  readonly initialMaxStreamDataUni?: number | null
  readonly initialMaxStreamsBidi?: number | null
  readonly initialMaxStreamsUni?: number | null
  readonly maxDatagramFrameSize?: number | null
  readonly greaseQuicBit?: boolean | null
  readonly resetStreamAt?: boolean | null
  readonly preferredAddress?: TracePreferredAddress | null
}

/** An all-zero address with port 0: none of this family. */
export interface TracePreferredAddress {
  readonly ipv4Address: Uint8Array
  readonly ipv4Port: number
  readonly ipv6Address: Uint8Array
  readonly ipv6Port: number
  readonly connectionId: Uint8Array
  readonly statelessResetToken: Uint8Array
}

export interface TraceSink {
  /** Addresses as 'ip:port' ('[ip]:port' for IPv6), or ''. */
  connectionStarted(now: number, local: string, remote: string): void
  connectionStateUpdated(now: number, state: TraceConnectionState): void
  /** `code` is the wire error code; `application` says which space it is of. */
  connectionClosed(
    now: number,
    initiator: TraceSide,
    application: boolean,
    code: number | bigint,
    reason: string,
    trigger: CloseTrigger,
  ): void
  /** `initiator` local: we use a new id of ours; remote: we send to a new id of the peer. null: none. */
  connectionIdUpdated(now: number, initiator: TraceSide, old: Uint8Array | null, current: Uint8Array | null): void
  /** null: not known or not to be said; `chosen` 0: none. */
  versionInformation(now: number, client: readonly number[] | null, server: readonly number[] | null, chosen: number): void
  alpnInformation(now: number, client: readonly string[] | null, server: readonly string[] | null, chosen: string | null): void
  parametersSet(now: number, initiator: TraceSide, parameters: TraceParameters): void

  /** `packetNumber` -1: Retry and Version Negotiation. `size` is that of the QUIC packet, bytes. */
  packetSent(
    now: number,
    packetType: number,
    packetNumber: number,
    size: number,
    frames: readonly FrameRecord[],
    purpose: PacketPurpose,
  ): void
  packetReceived(now: number, packetType: number, packetNumber: number, size: number, frames: readonly FrameRecord[]): void
  /** `packetType` -1: not known. */
  packetDropped(now: number, packetType: number, size: number, reason: PacketDropReason): void
  /** Kept until its keys come. */
  packetBuffered(now: number, packetType: number, size: number): void
  /** `space` is a RecoverySpace; the first `count` records are newly acknowledged. */
  packetsAcked(now: number, space: number, records: readonly { readonly packetNumber: number }[], count: number): void
  /** `trigger` is a LossTrigger of recovery: 0 other, 1 reordering threshold, 2 time threshold. */
  packetLost(now: number, packetType: number, packetNumber: number, trigger: number): void

  recoveryParametersSet(now: number, initialRtt: number, maxDatagramSize: number, initialWindow: number, minimumWindow: number): void
  /** ms, counts, bytes, bytes per ms. Call once per batch; sinks keep only what changed. `slowStartThreshold` may be Infinity. */
  metricsUpdated(
    now: number,
    minRtt: number,
    smoothedRtt: number,
    latestRtt: number,
    rttVariance: number,
    ptoCount: number,
    window: number,
    bytesInFlight: number,
    slowStartThreshold: number,
    packetsInFlight: number,
    pacingRate: number,
  ): void
  /** `state` as CongestionSnapshot.state; sinks drop repetitions. `trigger` '' if evident. */
  congestionStateUpdated(now: number, state: string, trigger: string): void
  /** `delta` is ms from `now`, for 'set'. `space` a RecoverySpace or -1. */
  timerUpdated(now: number, timer: TraceTimer, event: 'set' | 'expired' | 'cancelled', space: number, delta: number): void
  ecnStateUpdated(now: number, state: EcnState): void
  mtuUpdated(now: number, old: number, current: number, done: boolean): void

  /** `level` is an EncryptionLevel, `side` whose packets the key protects; `keyPhase` counts updates, -1 where it has no meaning. */
  keyUpdated(now: number, level: number, side: TraceRole, keyPhase: number, trigger: KeyTrigger): void
  keyDiscarded(now: number, level: number, side: TraceRole, keyPhase: number, trigger: KeyTrigger): void
}
