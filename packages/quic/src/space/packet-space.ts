// One packet number space (RFC 9000 §12.3): packet numbers, keys, what was sent, what was received, its CRYPTO stream
// and its loss state. Discarding keys drops the whole object.

import { invariant } from '../base/assert.ts'
import type { OneRttKeys } from '../crypto/one-rtt-keys.ts'
import type { PacketKeys } from '../crypto/packet-keys.ts'
import { EcnCounts } from '../recovery/ecn.ts'
import { PersistentCongestion } from '../recovery/persistent-congestion.ts'
import type { SentPacketPool } from '../recovery/sent-packet.ts'
import { SentPackets } from '../recovery/sent-packets.ts'
import { PacketType } from '../wire/constants.ts'
import { CryptoStream } from '../stream/crypto-stream.ts'
import { AckPolicy } from './ack-policy.ts'
import type { PacketNumberSkips } from './packet-number-skips.ts'
import { ReceivedPackets } from './received-packets.ts'
import { SpaceId, packetTypeOfSpace } from './space-id.ts'

export class PacketSpace {
  readonly id: SpaceId
  readonly sent: SentPackets
  readonly received: ReceivedPackets
  readonly ackPolicy: AckPolicy
  /** What the peer reports of the packets sent here. */
  readonly ecn: EcnCounts
  readonly crypto: CryptoStream
  readonly persistentCongestion: PersistentCongestion
  /** Initial, Handshake and 0-RTT keys, one object per direction. */
  readKeys: PacketKeys | null
  writeKeys: PacketKeys | null
  /** Read keys for Initial packets of a version that is not, or no longer, in use (RFC 9369 §4.1). */
  otherVersionKeys: PacketKeys | null
  /** 1-RTT keys; only in the application space. */
  oneRttKeys: OneRttKeys | null
  nextPacketNumber: number
  /** The largest acknowledged packet that earlier ones may be held to be lost by: no path probe. -1 before the first. */
  lossReference: number
  /** Probe packets still owed after a PTO (RFC 9002 §6.2.4). */
  probesPending: number
  private readonly skips: PacketNumberSkips | null
  /** skips.next, Infinity without. */
  private skipAt: number

  constructor(id: SpaceId, maxAckDelay: number, pool: SentPacketPool, skips: PacketNumberSkips | null) {
    this.id = id
    this.sent = new SentPackets(pool)
    this.received = new ReceivedPackets()
    this.ackPolicy = new AckPolicy(id === SpaceId.application ? maxAckDelay : 0)
    this.ecn = new EcnCounts()
    this.crypto = new CryptoStream()
    this.persistentCongestion = new PersistentCongestion()
    this.readKeys = null
    this.writeKeys = null
    this.otherVersionKeys = null
    this.oneRttKeys = null
    this.nextPacketNumber = 0
    this.lossReference = -1
    this.probesPending = 0
    this.skips = skips
    this.skipAt = skips === null ? Infinity : skips.next
  }

  canWrite(): boolean {
    return this.oneRttKeys !== null ? this.oneRttKeys.canWrite() : this.writeKeys !== null
  }

  /** Packets of the space's own type can be read; a server's 0-RTT key does not count. */
  canRead(): boolean {
    return this.id === SpaceId.application ? this.oneRttKeys !== null && this.oneRttKeys.canRead() : this.readKeys !== null
  }

  /** What is written here now: application data in 0-RTT packets until there are 1-RTT keys. */
  packetType(): PacketType {
    return this.id === SpaceId.application && this.oneRttKeys === null ? PacketType.zeroRtt : packetTypeOfSpace(this.id)
  }

  takePacketNumber(): number {
    const packetNumber = this.nextPacketNumber
    // RFC 9000 §12.3: packet numbers end at 2^62-1; 2^53-1 cannot be reached in practice.
    invariant(packetNumber < Number.MAX_SAFE_INTEGER, 'packet numbers are exhausted')
    this.nextPacketNumber = packetNumber + 1
    if (this.nextPacketNumber === this.skipAt) this.skipPacketNumber()
    return packetNumber
  }

  /** RFC 9000 §21.4 */
  private skipPacketNumber(): void {
    this.sent.skip(this.nextPacketNumber)
    this.nextPacketNumber += 1
    this.skips!.advance()
    this.skipAt = this.skips!.next
  }

  destroyKeys(): void {
    this.readKeys?.destroy()
    this.writeKeys?.destroy()
    this.otherVersionKeys?.destroy()
    this.oneRttKeys?.destroy()
    this.readKeys = null
    this.writeKeys = null
    this.otherVersionKeys = null
    this.oneRttKeys = null
  }
}
