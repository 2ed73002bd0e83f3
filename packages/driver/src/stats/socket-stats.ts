// The numbers of one connection in one flat object, as monitoring wants them. Times in milliseconds, sizes in bytes.

import type { Connection, ConnectionStats, PathStats } from '@quicwire/quic'

export interface SocketStats {
  /** The largest UDP payload sent. */
  readonly pmtu: number
  /** Smoothed, the least, and the mean deviation (RFC 9002 §5). */
  readonly rtt: number
  readonly minRtt: number
  readonly maxRtt: number
  readonly rttVar: number
  readonly cwnd: number
  readonly bytesInFlight: number
  readonly totalPtoCount: number
  readonly packetsSent: number
  readonly packetsRecvd: number
  readonly packetsLost: number
  readonly packetsLostSpurious: number
  readonly bytesSent: number
  readonly bytesRecvd: number
  readonly bytesLost: number
  /** Packets with stream bytes that had been sent before, and those bytes. */
  readonly packetsRetrans: number
  readonly bytesRetrans: number
  /** Bytes per millisecond: of the last round trip, and the most so far. */
  readonly deliveryRate: number
  readonly maxBandwidth: number
  /** The congestion window has left slow start. */
  readonly startupExit: boolean
  readonly bytesInFlightDuration: number
}

/** Both halves of a connection's numbers, copied at one moment. */
export interface QuicConnectionStats {
  readonly stats: Readonly<ConnectionStats>
  readonly pathStats: PathStats
}

export function socketStats(connection: Connection): SocketStats {
  const stats = connection.stats()
  const path = connection.pathStats()
  return {
    pmtu: path.maxDatagramSize,
    rtt: path.smoothedRtt,
    minRtt: path.minimumRtt,
    maxRtt: path.maximumRtt,
    rttVar: path.rttVariance,
    cwnd: path.congestionWindow,
    bytesInFlight: path.bytesInFlight,
    totalPtoCount: stats.ptoCount,
    packetsSent: stats.packetsSent,
    packetsRecvd: stats.packetsReceived,
    packetsLost: stats.packetsLost,
    packetsLostSpurious: stats.packetsSpuriouslyLost,
    bytesSent: stats.bytesSent,
    bytesRecvd: stats.bytesReceived,
    bytesLost: stats.bytesLost,
    packetsRetrans: stats.packetsRetransmitted,
    bytesRetrans: stats.streamBytesRetransmitted,
    deliveryRate: path.deliveryRate,
    maxBandwidth: path.maximumDeliveryRate,
    startupExit: path.slowStartThreshold < Infinity,
    bytesInFlightDuration: path.bytesInFlightDuration,
  }
}

export function quicConnectionStats(connection: Connection): QuicConnectionStats {
  return { stats: { ...connection.stats() }, pathStats: connection.pathStats() }
}
