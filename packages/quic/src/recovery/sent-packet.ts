/**
 * One sent packet as loss recovery remembers it (RFC 9002 §A.1.1), and the pool the records live in.
 * What the packet said is kept as delivery tokens: four numbers each (kind, a, b, c) in one flat array that is reused
 * with the record. Recovery never looks inside a token. A record has one owner at a time: the sender that fills it,
 * then SentPackets, then AckOutcome, then the pool.
 */
import { invariant } from '../base/assert.ts'

export const SentPacketState = { free: 0, outstanding: 1, acked: 2, lost: 3 } as const
export type SentPacketState = (typeof SentPacketState)[keyof typeof SentPacketState]

/** Why a packet was declared lost: RFC 9002 §6.1.1 and §6.1.2. */
export const LossTrigger = { none: 0, reorderingThreshold: 1, timeThreshold: 2 } as const
export type LossTrigger = (typeof LossTrigger)[keyof typeof LossTrigger]

/** Numbers per token in `SentPacket.tokens`. */
export const TOKEN_STRIDE = 4

export class SentPacket {
  packetNumber: number = -1
  /** The number sent before this one in the same space (-1: none); set by SentPackets. */
  previousNumber: number = -1
  /** ms on the caller's clock. */
  sentAt: number = 0
  /** Bytes of the QUIC packet, header and tag included. */
  size: number = 0
  ackEliciting: boolean = false
  /** Counts toward bytes in flight: ack-eliciting or with PADDING. */
  inFlight: boolean = false
  /** Generation of the path it was sent on; a path charges and credits only its own generation. */
  generation: number = 0
  /** wire PacketType, or -1; tells 0-RTT from 1-RTT records of the application space. */
  packetType: number = -1
  /** ECN codepoint it was sent with (0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE). */
  ecn: number = 0
  /** A path MTU probe: its loss is no sign of congestion (RFC 9000 §14.4). */
  mtuProbe: boolean = false
  /** Sent on a path that was not in use, to validate it: says nothing about the order of packets on the one that was. */
  pathProbe: boolean = false
  state: SentPacketState = SentPacketState.free
  /** ms; when it was declared lost, -1 before. */
  lostAt: number = -1
  lossTrigger: LossTrigger = LossTrigger.none
  // Rate sample at the time of sending, for delivery-rate based controllers.
  deliveredAtSend: number = 0
  deliveredTimeAtSend: number = 0
  firstSentAt: number = 0
  /** Bytes in flight with this packet, and bytes declared lost until then. */
  inFlightAtSend: number = 0
  lostAtSend: number = 0
  appLimited: boolean = false
  tokenCount: number = 0
  /** Flat, `TOKEN_STRIDE` numbers per token; only the first `tokenCount` tokens are valid. */
  readonly tokens: number[] = []

  addToken(kind: number, a: number, b: number, c: number): void {
    const tokens = this.tokens
    const at = this.tokenCount * TOKEN_STRIDE
    tokens[at] = kind
    tokens[at + 1] = a
    tokens[at + 2] = b
    tokens[at + 3] = c
    this.tokenCount += 1
  }
}

// The packet number of a record in the pool, so that a second release is caught.
const RELEASED = -2
// A burst of in-flight packets larger than this is given to the garbage collector instead of being kept for ever.
const MAX_FREE_RECORDS = 4096
// A record that once carried this many tokens does not keep the long array.
const MAX_KEPT_TOKENS = 64

export class SentPacketPool {
  private readonly free: SentPacket[] = []

  /** Records waiting for reuse. */
  get available(): number {
    return this.free.length
  }

  /** A record with every field at its initial value. */
  take(): SentPacket {
    const record = this.free.pop()
    if (record === undefined) return new SentPacket()
    record.packetNumber = -1
    record.previousNumber = -1
    record.sentAt = 0
    record.size = 0
    record.ackEliciting = false
    record.inFlight = false
    record.generation = 0
    record.packetType = -1
    record.ecn = 0
    record.mtuProbe = false
    record.pathProbe = false
    record.lostAt = -1
    record.lossTrigger = LossTrigger.none
    record.deliveredAtSend = 0
    record.deliveredTimeAtSend = 0
    record.firstSentAt = 0
    record.inFlightAtSend = 0
    record.lostAtSend = 0
    record.appLimited = false
    record.tokenCount = 0
    return record
  }

  /** Gives a record back. Nobody may hold on to it afterwards; it must not be released twice. */
  release(record: SentPacket): void {
    invariant(record.packetNumber !== RELEASED, 'sent packet record released twice')
    record.packetNumber = RELEASED
    record.state = SentPacketState.free
    if (record.tokens.length > MAX_KEPT_TOKENS * TOKEN_STRIDE) record.tokens.length = 0
    if (this.free.length < MAX_FREE_RECORDS) this.free.push(record)
  }
}
