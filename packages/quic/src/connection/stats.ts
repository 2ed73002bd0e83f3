// Counters of one connection and of its paths. Plain numbers, bumped in place, copied out for the owner.

import type { Path } from '../path/path.ts'

export class ConnectionStats {
  packetsSent = 0
  packetsReceived = 0
  packetsLost = 0
  packetsSpuriouslyLost = 0
  packetsDropped = 0
  packetsDuplicate = 0
  bytesSent = 0
  bytesReceived = 0
  bytesLost = 0
  datagramsSent = 0
  datagramsReceived = 0
  acksReceived = 0
  ptoCount = 0
  mtuProbesSent = 0
  /** Not among `packetsLost`: a lost MTU probe says something about its size only. */
  mtuProbesLost = 0
  pathChanges = 0
  /** Streams not closed yet, both initiators. */
  streamsOpen = 0
  /** Events that poll() has not handed out yet. */
  eventsWaiting = 0
}

/** A snapshot of one path. Times in milliseconds, sizes in bytes. */
export interface PathStats {
  readonly local: string
  readonly remote: string
  /** Data is sent on it; other paths carry path validation alone. */
  readonly active: boolean
  /** The path was validated at some time (RFC 9000 §8.2). */
  readonly validated: boolean
  readonly smoothedRtt: number
  readonly minimumRtt: number
  readonly latestRtt: number
  readonly rttVariance: number
  readonly congestionWindow: number
  readonly bytesInFlight: number
  readonly maxDatagramSize: number
  /** UDP payload. */
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly datagramsSent: number
  readonly datagramsReceived: number
  /** QUIC packets that were acknowledged and declared lost. */
  readonly packetsAcked: number
  readonly packetsLost: number
}

export function pathStatsOf(path: Path, active: boolean): PathStats {
  return {
    local: path.address.local,
    remote: path.address.remote,
    active,
    validated: path.validation.proven,
    smoothedRtt: path.rtt.smoothed,
    minimumRtt: path.rtt.minimum,
    latestRtt: path.rtt.latest,
    rttVariance: path.rtt.variance,
    congestionWindow: path.congestion.window(),
    bytesInFlight: path.bytesInFlight,
    maxDatagramSize: path.maxDatagramSize,
    bytesSent: path.bytesSent,
    bytesReceived: path.bytesReceived,
    datagramsSent: path.datagramsSent,
    datagramsReceived: path.datagramsReceived,
    packetsAcked: path.packetsAcked,
    packetsLost: path.packetsLost,
  }
}
