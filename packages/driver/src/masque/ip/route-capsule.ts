// ROUTE_ADVERTISEMENT (RFC 9484 §4.7.3): the whole list of ranges, in an order that makes overlaps easy to see.

import { H3Error, H3ErrorCode } from '@quicwire/h3'
import { compareAddresses, versionOf } from './address.ts'
import { addressSize, malformed } from './address-capsules.ts'

export interface AddressRange {
  /** The first address. */
  readonly start: Uint8Array
  /** The last address, of the same version. */
  readonly end: Uint8Array
  /** Internet Protocol Number of what may be sent there; 0: everything. ICMP always may. */
  readonly protocol: number
}

/** Ranges of one capsule that are taken. */
export const MAX_ROUTES = 4096

const NAME = 'ROUTE_ADVERTISEMENT'

/** The value of a capsule. `ranges` in the order `checkRanges` asks for. */
export function encodeRoutes(ranges: readonly AddressRange[]): Uint8Array {
  let size = 0
  for (const { start } of ranges) size += 2 + 2 * start.length
  const value = new Uint8Array(size)
  let at = 0
  for (const { start, end, protocol } of ranges) {
    value[at++] = versionOf(start)
    value.set(start, at)
    value.set(end, at + start.length)
    at += 2 * start.length
    value[at++] = protocol
  }
  return value
}

/** Throws H3Error for what is malformed or out of order. */
export function decodeRoutes(value: Uint8Array): readonly AddressRange[] {
  const ranges: AddressRange[] = []
  let at = 0
  while (at < value.length) {
    if (ranges.length === MAX_ROUTES) throw new H3Error(H3ErrorCode.excessiveLoad, 'stream', `${NAME} with more than ${MAX_ROUTES} ranges`)
    const size = addressSize(value[at], NAME)
    const last = at + 1 + 2 * size
    if (last >= value.length) throw malformed(`${NAME} ends inside a range`)
    ranges.push({ start: value.slice(at + 1, at + 1 + size), end: value.slice(at + 1 + size, last), protocol: value[last]! })
    at = last + 1
  }
  const wrong = checkRanges(ranges)
  if (wrong !== null) throw malformed(`${NAME}: ${wrong}`)
  return ranges
}

/** What is wrong with a list, or null: order, direction of a range, overlaps also between all protocols and one. */
export function checkRanges(ranges: readonly AddressRange[]): string | null {
  for (let i = 0; i < ranges.length; i++) {
    const range = ranges[i]!
    if (range.start.length !== range.end.length) return 'a range from one IP version to the other'
    if (compareAddresses(range.start, range.end) > 0) return 'a range that ends before it starts'
    if (i > 0 && order(ranges[i - 1]!, range) >= 0) return 'ranges out of order or overlapping'
  }
  return overlapsAll(ranges) ? 'a range for all protocols overlaps with one for a single protocol' : null
}

/** In the order of the capsule; ranges of equal kind that touch or overlap stay as they are. */
export function sortRanges(ranges: readonly AddressRange[]): readonly AddressRange[] {
  return ranges.toSorted((a, b) => versionOf(a.start) - versionOf(b.start) || a.protocol - b.protocol || compareAddresses(a.start, b.start))
}

export function rangeContains({ start, end }: AddressRange, address: Uint8Array): boolean {
  return start.length === address.length && compareAddresses(start, address) <= 0 && compareAddresses(address, end) <= 0
}

/** Below 0 when `a` may precede `b`. */
function order(a: AddressRange, b: AddressRange): number {
  return versionOf(a.start) - versionOf(b.start) || a.protocol - b.protocol || (compareAddresses(a.end, b.start) < 0 ? -1 : 0)
}

function overlapsAll(ranges: readonly AddressRange[]): boolean {
  // Protocol 0 sorts first in its version, so its ranges are in order of address: each of the others is looked up among them.
  for (const version of [4, 6]) {
    const all = ranges.filter((range) => range.protocol === 0 && versionOf(range.start) === version)
    if (all.length === 0) continue
    for (const range of ranges) {
      if (range.protocol === 0 || versionOf(range.start) !== version) continue
      let low = 0
      let high = all.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (compareAddresses(all[middle]!.end, range.start) < 0) low = middle + 1
        else high = middle
      }
      const candidate = all[low]
      if (candidate !== undefined && compareAddresses(candidate.start, range.end) <= 0) return true
    }
  }
  return false
}
