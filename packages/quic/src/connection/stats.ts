// Counters of one connection and of its paths. Plain numbers, bumped in place; what the rooms count themselves is copied in when
// somebody asks.

import type { Path } from '../path/path.ts'

export class ConnectionStats {
  /** QUIC packets sent, coalesced ones singly. */
  packetsSent = 0
  /** Packets opened and processed. */
  packetsReceived = 0
  /** Packets declared lost (RFC 9002 §6.1), MTU probes not among them. */
  packetsLost = 0
  /** Packets declared lost and acknowledged later. */
  packetsSpuriouslyLost = 0
  /** Packets received and not processed: broken, not to be opened, duplicate, not ours. */
  packetsDropped = 0
  /** Of those, packets that had been received before. */
  packetsDuplicate = 0
  /** Packets with stream bytes that had been sent before. */
  packetsRetransmitted = 0
  /** Bytes of UDP payload sent. */
  bytesSent = 0
  /** Bytes of UDP payload received, whatever was in them. */
  bytesReceived = 0
  /** Bytes of the packets in `packetsLost`. */
  bytesLost = 0
  /** UDP datagrams sent. */
  datagramsSent = 0
  /** UDP datagrams received. */
  datagramsReceived = 0
  /** ACK frames received. */
  acksReceived = 0
  /** Probe timeouts that expired (RFC 9002 §6.2), of all packet number spaces together. */
  ptoCount = 0
  /** Path MTU probes sent. */
  mtuProbesSent = 0
  /** Not among `packetsLost`: a lost MTU probe says something about its size only. */
  mtuProbesLost = 0
  /** Changes of the peer's address that were followed. */
  pathChanges = 0
  /** Streams not closed yet, both initiators. */
  streamsOpen = 0
  /** Stream bytes taken from the application. */
  streamBytesWritten = 0
  /** Stream bytes sent for the first time. */
  streamBytesSent = 0
  /** Stream bytes sent again. */
  streamBytesRetransmitted = 0
  /** Stream bytes received, each once, gaps included. */
  streamBytesReceived = 0
  /** Stream bytes the application has read. */
  streamBytesRead = 0
  /** DATAGRAM frames sent. */
  datagramFramesSent = 0
  /** DATAGRAM frames received. */
  datagramFramesReceived = 0
  /** DATAGRAM frames dropped in the receive queue, because nobody read, and in the send queue. */
  datagramFramesDropped = 0
  /** Events that poll() has not handed out yet. */
  eventsWaiting = 0
}

/** A snapshot of one path. Times in milliseconds, sizes in bytes. */
export interface PathStats {
  /** `ip:port`, as for `remote`. */
  readonly local: string
  readonly remote: string
  /** Data is sent on it; other paths carry path validation alone. */
  readonly active: boolean
  /** The path was validated at some time (RFC 9000 §8.2). */
  readonly validated: boolean
  readonly smoothedRtt: number
  /** 0 before the first sample, as are `maximumRtt` and `latestRtt`. */
  readonly minimumRtt: number
  readonly maximumRtt: number
  readonly latestRtt: number
  readonly rttVariance: number
  readonly congestionWindow: number
  /** Infinity before the first congestion event, and with BBR. */
  readonly slowStartThreshold: number
  /** As the controller names it: `slow_start`, `congestion_avoidance`, `recovery`; BBR has names of its own. */
  readonly congestionState: string
  readonly bytesInFlight: number
  /** Time during which packets were in flight, up to the last time there were none. */
  readonly bytesInFlightDuration: number
  /** Bytes per millisecond; possibly Infinity. */
  readonly pacingRate: number
  /** Bytes acknowledged per millisecond over the last round trip that had acknowledgements; 0 before there was one. */
  readonly deliveryRate: number
  /** The largest `deliveryRate` so far. */
  readonly maximumDeliveryRate: number
  /** UDP payload of the largest datagrams sent. */
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
  const { window, slowStartThreshold, state } = path.congestion.snapshot()
  return {
    local: path.address.local,
    remote: path.address.remote,
    active,
    validated: path.validation.proven,
    smoothedRtt: path.rtt.smoothed,
    minimumRtt: path.rtt.minimum,
    maximumRtt: path.rtt.maximum,
    latestRtt: path.rtt.latest,
    rttVariance: path.rtt.variance,
    congestionWindow: window,
    slowStartThreshold,
    congestionState: state,
    bytesInFlight: path.bytesInFlight,
    bytesInFlightDuration: path.delivery.busy,
    pacingRate: path.congestion.pacingRate(path.rtt),
    deliveryRate: path.delivery.rate,
    maximumDeliveryRate: path.delivery.maximum,
    maxDatagramSize: path.maxDatagramSize,
    bytesSent: path.bytesSent,
    bytesReceived: path.bytesReceived,
    datagramsSent: path.datagramsSent,
    datagramsReceived: path.datagramsReceived,
    packetsAcked: path.packetsAcked,
    packetsLost: path.packetsLost,
  }
}
