// ACK_FREQUENCY frames (draft-ietf-quic-ack-frequency §4): what the sender of data asks of the acknowledgments it gets.

import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import type { WireValue } from '../varint.ts'
import { varintSize, varintSizeExact } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** The type takes two bytes. */
const TYPE_SIZE = 2

/** Reused; valid until the next readAckFrequencyFrame on it. */
export class AckFrequencyFrame {
  /** Exact: frames are compared by it. */
  sequence: WireValue
  /** Ack-eliciting packets received without an acknowledgment, at most. Clamped to 2^53 − 1, as the next two. */
  ackElicitingThreshold: number
  /** Requested Max Ack Delay, microseconds. */
  maxAckDelay: number
  reorderingThreshold: number

  constructor() {
    this.sequence = 0
    this.ackElicitingThreshold = 0
    this.maxAckDelay = 0
    this.reorderingThreshold = 0
  }
}

/** Decodes an ACK_FREQUENCY frame whose type has been read. */
export function readAckFrequencyFrame(reader: Reader, type: number, out: AckFrequencyFrame): void {
  out.sequence = reader.varintExact()
  out.ackElicitingThreshold = reader.varintSaturating()
  out.maxAckDelay = reader.varintSaturating()
  out.reorderingThreshold = reader.varintSaturating()
  if (reader.failed) throw frameEncodingError(type, 'ACK_FREQUENCY frame is cut short')
}

/** Bytes of an ACK_FREQUENCY frame. */
export function ackFrequencyFrameSize(sequence: WireValue, threshold: number, maxAckDelay: number, reorderingThreshold: number): number {
  return TYPE_SIZE + varintSizeExact(sequence) + varintSize(threshold) + varintSize(maxAckDelay) + varintSize(reorderingThreshold)
}

/** Writes an ACK_FREQUENCY frame. `maxAckDelay`: microseconds. */
export function writeAckFrequencyFrame(
  writer: Writer,
  sequence: WireValue,
  threshold: number,
  maxAckDelay: number,
  reorderingThreshold: number,
): void {
  writer.varint(FrameType.ackFrequency)
  writer.varintExact(sequence)
  writer.varint(threshold)
  writer.varint(maxAckDelay)
  writer.varint(reorderingThreshold)
}
