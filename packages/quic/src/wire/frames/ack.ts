// ACK frames (RFC 9000 §19.3). Decoded into a scratch of bounded size, encoded from a RangeSet of received packet
// numbers. Ranges beyond the bound are the oldest: they are checked, counted and not kept.

import type { RangeSet } from '../../base/range-set.ts'
import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import { varintSize } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** Most ranges kept of one received ACK frame. */
export const MAX_ACK_RANGES = 256

/** Enough for ordinary loss; the scratch of an idle connection should not be 4 KiB. */
const INITIAL_ACK_RANGES = 16

/** RFC 9000 §19.3.2: running totals of packets received with each ECN mark, per packet number space. */
export interface EcnCounts {
  readonly ect0: number
  readonly ect1: number
  readonly ce: number
}

/** Reused; valid until the next readAckFrame on it. */
export class AckFrame {
  /** Largest Acknowledged. */
  largest: number
  /** ACK Delay as on the wire, not scaled by ack_delay_exponent; clamped to 2^53 − 1. */
  delay: number
  /** Ranges in `ranges`, at least 1. */
  rangeCount: number
  /** Pairs (smallest, largest), both inclusive, newest first. Replaced by a larger one when a frame needs it. */
  ranges: Float64Array
  hasEcn: boolean
  ect0: number
  ect1: number
  ce: number

  constructor() {
    this.largest = 0
    this.delay = 0
    this.rangeCount = 0
    this.ranges = new Float64Array(INITIAL_ACK_RANGES * 2)
    this.hasEcn = false
    this.ect0 = 0
    this.ect1 = 0
    this.ce = 0
  }
}

/** Decodes an ACK frame whose type (0x02 or 0x03) has been read. */
export function readAckFrame(reader: Reader, type: number, out: AckFrame): void {
  let largest = reader.varint()
  out.largest = largest
  out.delay = reader.varintSaturating()
  const extraRanges = reader.varint()
  let smallest = largest - reader.varint()
  // Each range takes two bytes or more: a count beyond that is known to be cut short before the first is read.
  if (reader.failed || extraRanges * 2 > reader.remaining) {
    throw frameEncodingError(type, 'ACK frame is cut short or its values are too large')
  }
  if (smallest < 0) throw frameEncodingError(type, 'ACK range below packet number 0')
  let ranges = out.ranges
  ranges[0] = smallest
  ranges[1] = largest
  let kept = 1
  for (let i = 0; i < extraRanges; i++) {
    // RFC 9000 §19.3.1: largest = previous_smallest - gap - 2
    largest = smallest - reader.varint() - 2
    smallest = largest - reader.varint()
    if (reader.failed) throw frameEncodingError(type, 'ACK frame is cut short or its values are too large')
    // "If any computed packet number is negative, an endpoint MUST generate a connection error of type FRAME_ENCODING_ERROR."
    if (smallest < 0) throw frameEncodingError(type, 'ACK range below packet number 0')
    if (kept < MAX_ACK_RANGES) {
      if (kept * 2 === ranges.length) ranges = grow(out)
      ranges[kept * 2] = smallest
      ranges[kept * 2 + 1] = largest
      kept++
    }
  }
  out.rangeCount = kept
  out.hasEcn = type === FrameType.ackEcn
  out.ect0 = out.hasEcn ? reader.varintSaturating() : 0
  out.ect1 = out.hasEcn ? reader.varintSaturating() : 0
  out.ce = out.hasEcn ? reader.varintSaturating() : 0
  if (reader.failed) throw frameEncodingError(type, 'ECN counts are cut short')
}

function grow(out: AckFrame): Float64Array {
  const grown = new Float64Array(out.ranges.length * 2)
  grown.set(out.ranges)
  out.ranges = grown
  return grown
}

function ecnSize(ecn: EcnCounts | null): number {
  return ecn === null ? 0 : varintSize(ecn.ect0) + varintSize(ecn.ect1) + varintSize(ecn.ce)
}

/** Bytes of all but the ranges behind the newest one, in a frame of `rangesWritten` ranges. */
function ackBaseSize(ranges: RangeSet, rangesWritten: number, delay: number, ecn: EcnCounts | null): number {
  const newest = ranges.length - 1
  const largest = ranges.endAt(newest) - 1
  const firstRange = largest - ranges.startAt(newest)
  return 1 + varintSize(largest) + varintSize(delay) + varintSize(rangesWritten - 1) + varintSize(firstRange) + ecnSize(ecn)
}

/** Bytes of the range `index`, which is not the newest one, with the gap above it. */
function ackRangeSize(ranges: RangeSet, index: number): number {
  const end = ranges.endAt(index)
  return varintSize(ranges.startAt(index + 1) - end - 1) + varintSize(end - ranges.startAt(index) - 1)
}

/**
 * Writes an ACK frame with as many of the newest ranges as fit in `writer.remaining`. `delay` is in field units
 * (microseconds shifted by our ack_delay_exponent). Returns the largest acknowledged packet number; -1, having written
 * nothing, when `ranges` is empty or not even one range fits.
 */
export function writeAckFrame(writer: Writer, ranges: RangeSet, delay: number, ecn: EcnCounts | null): number {
  const newest = ranges.length - 1
  if (newest < 0) return -1
  const room = writer.remaining
  let size = ackBaseSize(ranges, 1, delay, ecn)
  if (size > room) return -1
  let oldest = newest
  while (oldest > 0) {
    const grown = newest - oldest + 1
    const next = ackRangeSize(ranges, oldest - 1) + varintSize(grown) - varintSize(grown - 1)
    if (size + next > room) break
    size += next
    oldest--
  }

  const largest = ranges.endAt(newest) - 1
  writer.u8(ecn === null ? FrameType.ack : FrameType.ackEcn)
  writer.varint(largest)
  writer.varint(delay)
  writer.varint(newest - oldest)
  writer.varint(largest - ranges.startAt(newest))
  for (let i = newest - 1; i >= oldest; i--) {
    const end = ranges.endAt(i)
    writer.varint(ranges.startAt(i + 1) - end - 1)
    writer.varint(end - ranges.startAt(i) - 1)
  }
  if (ecn !== null) {
    writer.varint(ecn.ect0)
    writer.varint(ecn.ect1)
    writer.varint(ecn.ce)
  }
  return largest
}
