// One packet under construction (RFC 9000 §17): header, payload cursor, delivery tokens, sealing. Knows neither what goes
// in nor in which order; nothing is registered anywhere until the packet is sealed.

import { invariant } from '../../base/assert.ts'
import type { FrameSink } from '../../delivery/frame-sink.ts'
import { TokenKind } from '../../delivery/token.ts'
import type { SentPacket, SentPacketPool } from '../../recovery/sent-packet.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { PacketType, TAG_LENGTH } from '../../wire/constants.ts'
import { MAX_LONG_PACKET_LENGTH, longHeaderSize, patchLength, writeLongHeader, writeShortHeader } from '../../wire/header-writer.ts'
import { packetNumberLength } from '../../wire/packet-number.ts'
import { Writer } from '../../wire/writer.ts'
import type { QuicBit } from './quic-bit.ts'

/**
 * Packet number and payload take this many bytes at least. RFC 9001 §5.4.2 asks for four, so that there is a sample; RFC 9000 §10.3 for
 * one more, so that a stateless reset provoked by the packet looks like one itself.
 */
const LEAST_PROTECTED = 5

const QUIC_BIT = 0x40

/** What a header needs beside the space. */
export interface PacketAddressing {
  readonly version: number
  /** Of 0-RTT packets (RFC 9369 §4.1). */
  readonly originalVersion: number
  readonly destination: Uint8Array
  readonly source: Uint8Array
  /** Initial packets of a client only. */
  readonly token: Uint8Array
  readonly quicBit: QuicBit
}

export class PacketBuilder implements FrameSink {
  readonly writer: Writer
  ackEliciting: boolean
  /** RFC 9000 §8.2.1: the datagram is to be expanded. */
  carriesPathFrames: boolean
  /** An ACK frame is in. */
  carriesAck: boolean
  packetType: number
  packetNumber: number
  payloadStart: number
  private readonly pool: SentPacketPool
  private currentSpace: PacketSpace | null
  private record: SentPacket | null
  private headerStart: number
  private lengthPosition: number
  private numberOffset: number
  private numberLength: number

  constructor(pool: SentPacketPool) {
    this.writer = new Writer()
    this.pool = pool
    this.ackEliciting = false
    this.carriesPathFrames = false
    this.carriesAck = false
    this.packetType = -1
    this.packetNumber = -1
    this.payloadStart = 0
    this.currentSpace = null
    this.record = null
    this.headerStart = 0
    this.lengthPosition = -1
    this.numberOffset = 0
    this.numberLength = 0
  }

  /** Starts a packet at `start`; it will end, tag included, at `limit` at the latest. False when there is no room for one. */
  begin(space: PacketSpace, addressing: PacketAddressing, buffer: Uint8Array, start: number, limit: number): boolean {
    invariant(this.record === null, 'a packet is still open')
    const packetType = space.packetType()
    const packetNumber = space.nextPacketNumber
    const numberLength = packetNumberLength(packetNumber, space.sent.largestAcked)
    const headerSize =
      packetType === PacketType.oneRtt
        ? 1 + addressing.destination.length + numberLength
        : longHeaderSize(packetType, addressing.destination.length, addressing.source.length, addressing.token.length, numberLength)
    if (start + headerSize + LEAST_PROTECTED + TAG_LENGTH > limit) return false
    const end = packetType === PacketType.oneRtt ? limit : Math.min(limit, start + headerSize + MAX_LONG_PACKET_LENGTH - numberLength)
    this.writer.reset(buffer, start, end - TAG_LENGTH)
    this.headerStart = start
    this.packetType = packetType
    this.packetNumber = packetNumber
    this.numberLength = numberLength
    if (packetType === PacketType.oneRtt) {
      const phase = space.oneRttKeys === null ? 0 : space.oneRttKeys.keyPhase
      writeShortHeader(this.writer, addressing.destination, packetNumber, numberLength, phase, 0)
      this.lengthPosition = -1
    } else {
      const { destination, source, token } = addressing
      const version = packetType === PacketType.zeroRtt ? addressing.originalVersion : addressing.version
      this.lengthPosition = writeLongHeader(this.writer, packetType, version, destination, source, token, packetNumber, numberLength)
    }
    if (!addressing.quicBit.next()) buffer[start]! &= ~QUIC_BIT
    this.numberOffset = this.writer.position - numberLength
    this.payloadStart = this.writer.position
    this.currentSpace = space
    this.record = this.pool.take()
    this.ackEliciting = false
    this.carriesPathFrames = false
    this.carriesAck = false
    return true
  }

  room(): number {
    return this.writer.remaining
  }

  isEmpty(): boolean {
    return this.writer.position === this.payloadStart
  }

  /** Where the next packet of the datagram would begin if this one were sealed now without padding. */
  endIfSealed(): number {
    return Math.max(this.writer.position, this.numberOffset + LEAST_PROTECTED) + TAG_LENGTH
  }

  token(kind: number, a: number, b: number, c: number): void {
    this.ackEliciting = true
    if (kind === TokenKind.pathChallenge || kind === TokenKind.pathResponse) this.carriesPathFrames = true
    this.record!.addToken(kind, a, b, c)
  }

  /** An ACK frame was written; it does not make the packet ack-eliciting (RFC 9000 §13.2). */
  ackToken(largestAcknowledged: number): void {
    this.carriesAck = true
    this.record!.addToken(TokenKind.ack, largestAcknowledged, 0, 0)
  }

  /** Gives everything back: nothing was written, or nothing is to be sent. */
  abandon(): void {
    this.pool.release(this.record!)
    this.record = null
    this.currentSpace = null
  }

  /**
   * Pads the packet so that it ends at `padTo` at least, seals it and hands out the filled record, whose `size` includes
   * header and tag. `end` tells where the packet ends.
   */
  seal(padTo: number): SentPacket {
    const space = this.currentSpace!
    const record = this.record!
    const writer = this.writer
    const least = Math.max(this.endIfSealed(), Math.min(padTo, writer.limit + TAG_LENGTH)) - TAG_LENGTH
    if (writer.position < least) {
      writer.zeros(least - writer.position)
      // RFC 9002 §2: packets with PADDING count in flight.
      record.inFlight = true
    }
    if (this.lengthPosition >= 0) {
      patchLength(writer.buffer, this.lengthPosition, writer.position + TAG_LENGTH - this.numberOffset)
    }
    const packetNumber = space.takePacketNumber()
    invariant(packetNumber === this.packetNumber, 'packet number was taken by another packet')
    const keys = space.oneRttKeys ?? space.writeKeys!
    const end = keys.protect(writer.buffer, this.headerStart, this.numberOffset, this.numberLength, writer.position, packetNumber)
    writer.position = end
    record.packetNumber = packetNumber
    record.packetType = this.packetType
    record.size = end - this.headerStart
    record.ackEliciting = this.ackEliciting
    if (this.ackEliciting) record.inFlight = true
    this.record = null
    this.currentSpace = null
    return record
  }

  /** End of the packet in the datagram; valid after seal(). */
  get end(): number {
    return this.writer.position
  }

  /** The space of the open packet. */
  get space(): PacketSpace {
    return this.currentSpace!
  }
}
