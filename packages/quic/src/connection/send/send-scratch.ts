// The sender's reusable parts: two packet builders, because a packet is sealed only when it is known whether another one
// follows it in the datagram (padding belongs to the last), and what pacing answered last.

import type { SentPacketPool } from '../../recovery/sent-packet.ts'
import { PacketBuilder } from './packet-builder.ts'

export class SendScratch {
  readonly first: PacketBuilder
  readonly second: PacketBuilder
  /** When pacing lets the next datagram go, Infinity when pacing holds nothing back. */
  pacedUntil: number
  /** An application asked for a PING (keep-alive, path check). */
  pingDue: boolean
  /** Of the datagram at hand: the ECN codepoint it goes out with, and whether it is a path MTU probe. */
  ecn: number
  mtuProbe: boolean

  constructor(pool: SentPacketPool) {
    this.first = new PacketBuilder(pool)
    this.second = new PacketBuilder(pool)
    this.pacedUntil = Infinity
    this.pingDue = false
    this.ecn = 0
    this.mtuProbe = false
  }
}
