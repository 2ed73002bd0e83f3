// The size of an ACK frame, field by field (RFC 9000 §19.3): the plain twin of what writeAckFrame reckons as it goes.

import type { RangeSet } from '../../../src/base/range-set.ts'
import type { EcnCounts } from '../../../src/wire/frames/ack.ts'
import { varintSize } from '../../../src/wire/varint.ts'

/** Bytes of the ACK frame with all of `ranges`, which must not be empty. */
export function ackFrameSize(ranges: RangeSet, delay: number, ecn: EcnCounts | null): number {
  const newest = ranges.length - 1
  const fields = [ranges.max(), delay, newest, ranges.max() - ranges.startAt(newest)]
  for (let i = newest - 1; i >= 0; i--) fields.push(ranges.startAt(i + 1) - ranges.endAt(i) - 1, ranges.endAt(i) - ranges.startAt(i) - 1)
  if (ecn !== null) fields.push(ecn.ect0, ecn.ect1, ecn.ce)
  return fields.reduce((size, field) => size + varintSize(field), 1)
}
