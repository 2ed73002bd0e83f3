/** RFC 9002 §A.7 and §A.10 word by word over a Map: the plain twin of SentPackets, processAck and detectLost. */
export interface PlainPacket {
  readonly packetNumber: number
  readonly sentAt: number
  readonly size: number
  readonly ackEliciting: boolean
  readonly inFlight: boolean
}

export class PlainRecovery {
  readonly sent: Map<number, PlainPacket> = new Map()
  readonly lost: Map<number, PlainPacket> = new Map()
  largestAcked: number = -1
  lossTime: number = Infinity

  onSent(packet: PlainPacket): void {
    this.sent.set(packet.packetNumber, packet)
  }

  onAck(ranges: readonly (readonly [number, number])[]): { acked: number[]; spurious: number[] } {
    this.largestAcked = Math.max(this.largestAcked, ...ranges.map((range) => range[1]))
    const covered = (packetNumber: number): boolean => ranges.some(([from, to]) => packetNumber >= from && packetNumber <= to)
    const acked = [...this.sent.keys()].filter(covered)
    const spurious = [...this.lost.keys()].filter(covered)
    for (const packetNumber of acked) this.sent.delete(packetNumber)
    for (const packetNumber of spurious) this.lost.delete(packetNumber)
    return { acked, spurious }
  }

  detectLost(smoothedRtt: number, latestRtt: number, now: number): number[] {
    const delay = Math.max((9 / 8) * Math.max(smoothedRtt, latestRtt), 1)
    const lost: number[] = []
    this.lossTime = Infinity
    for (const packet of this.sent.values()) {
      if (packet.packetNumber > this.largestAcked) continue
      if (packet.sentAt + delay <= now || this.largestAcked >= packet.packetNumber + 3) lost.push(packet.packetNumber)
      else if (packet.inFlight) this.lossTime = Math.min(this.lossTime, packet.sentAt + delay)
    }
    for (const packetNumber of lost) {
      this.lost.set(packetNumber, this.sent.get(packetNumber)!)
      this.sent.delete(packetNumber)
    }
    return lost
  }

  bytesInFlight(): number {
    let bytes = 0
    for (const packet of this.sent.values()) if (packet.inFlight) bytes += packet.size
    return bytes
  }
}
