import type { SentPacket } from '../../src/recovery/sent-packet.ts'
import { SentPacketPool } from '../../src/recovery/sent-packet.ts'
import { SentPackets } from '../../src/recovery/sent-packets.ts'

export interface Sending {
  readonly size?: number
  readonly ackEliciting?: boolean
  readonly inFlight?: boolean
  readonly generation?: number
  readonly packetType?: number
  readonly ecn?: number
  readonly mtuProbe?: boolean
}

export function newSpace(): SentPackets {
  return new SentPackets(new SentPacketPool())
}

/** Sends one packet of 1200 bytes, ack-eliciting and in flight unless told otherwise. */
export function send(sent: SentPackets, packetNumber: number, sentAt: number, sending: Sending = {}): SentPacket {
  const record = sent.pool.take()
  record.packetNumber = packetNumber
  record.sentAt = sentAt
  record.size = sending.size ?? 1200
  record.ackEliciting = sending.ackEliciting ?? true
  record.inFlight = sending.inFlight ?? record.ackEliciting
  record.generation = sending.generation ?? 0
  record.packetType = sending.packetType ?? 5
  record.ecn = sending.ecn ?? 0
  record.mtuProbe = sending.mtuProbe ?? false
  sent.insert(record)
  return record
}

/** Inclusive [smallest, largest] pairs, newest first, as an ACK frame holds them. */
export function ranges(...pairs: readonly (readonly [number, number])[]): Float64Array {
  return Float64Array.from(pairs.flat())
}

export function numbers(records: readonly SentPacket[], count: number): number[] {
  return records.slice(0, count).map((record) => record.packetNumber)
}
