// Counters of one connection. Plain numbers, bumped in place, copied out for the owner.

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
}

/** A snapshot of the active path. Times in milliseconds, sizes in bytes. */
export interface PathStats {
  readonly smoothedRtt: number
  readonly minimumRtt: number
  readonly latestRtt: number
  readonly rttVariance: number
  readonly congestionWindow: number
  readonly bytesInFlight: number
  readonly maxDatagramSize: number
}
