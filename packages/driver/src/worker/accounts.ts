// The books of one connection: audit log, bandwidth estimate, and its share of the metrics.

import type { CloseReason, Connection } from '@quicwire/quic'
import { countClose } from '../metrics/close-metrics.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { BandwidthEstimator } from '../stats/bandwidth-estimator.ts'
import { QuicAuditStats } from '../stats/quic-audit-stats.ts'

const MS_PER_SECOND = 1000
const BITS_PER_MEGABIT = 1_000_000
const PERCENT = 100

export class Accounts {
  readonly audit: QuicAuditStats
  private readonly connection: Connection
  private readonly metrics: Metrics
  private readonly estimator: BandwidthEstimator
  /** What this connection has added to the gauge of all, bits per second. */
  private bandwidth: number
  private established: boolean

  constructor(connection: Connection, metrics: Metrics, now: number) {
    this.audit = new QuicAuditStats(Date.now())
    this.connection = connection
    this.metrics = metrics
    this.estimator = new BandwidthEstimator(now)
    this.bandwidth = 0
    this.established = false
    if (connection.role === 'server') this.audit.quicConnectionId = connection.sourceConnectionIds()[0] ?? this.audit.quicConnectionId
    metrics.gauge('connections_in_memory', 1)
  }

  /** When endRound() wants to be called, milliseconds. */
  get nextRoundAt(): number {
    return this.estimator.nextRoundAt
  }

  /** Once a round trip. */
  endRound(now: number): void {
    const { connection, estimator, audit } = this
    const stats = connection.stats()
    const path = connection.pathStats()
    estimator.endRound(now, stats.bytesSent, Math.max(0, stats.bytesSent - stats.bytesLost - path.bytesInFlight), path.smoothedRtt)
    const estimate = estimator.estimate(now)
    if (estimate !== this.bandwidth) this.metrics.gauge('utilized_bandwidth', estimate - this.bandwidth)
    this.bandwidth = estimate
    audit.maxBandwidth = Math.max(audit.maxBandwidth, estimate)
    const loss = stats.packetsSent === 0 ? 0 : (PERCENT * stats.packetsLost) / stats.packetsSent
    audit.maxLossPct = Math.max(audit.maxLossPct, loss)
  }

  onEstablished(): void {
    const { audit, connection } = this
    this.established = true
    audit.transportHandshakeDuration = connection.handshakeDuration()
    if (connection.role === 'client') {
      audit.quicConnectionId = connection.peerTransportParameters()?.initialSourceConnectionId ?? audit.quicConnectionId
    }
    this.metrics.observe('handshake_time_seconds', audit.transportHandshakeDuration / MS_PER_SECOND, 'handshakeprotocol')
  }

  onClosed(reason: CloseReason, failure: unknown): void {
    const { audit, metrics } = this
    audit.onClosed(reason, failure)
    countClose(metrics, reason, this.established)
    if (audit.maxBandwidth === 0) return
    metrics.observe('max_bandwidth_mbps', audit.maxBandwidth / BITS_PER_MEGABIT)
    metrics.observe('max_loss_pct', audit.maxLossPct)
  }

  /** Nothing of the connection is left. Once. */
  onFinished(): void {
    this.metrics.gauge('connections_in_memory', -1)
    if (this.bandwidth !== 0) this.metrics.gauge('utilized_bandwidth', -this.bandwidth)
    this.bandwidth = 0
  }
}
