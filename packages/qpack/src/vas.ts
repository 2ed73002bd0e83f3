/**
 * Index arithmetic of QPACK (RFC 9204 §3.2.4 – §3.2.6, §4.5.1): absolute, relative and post-base indices, and the Required Insert Count
 * as it travels. Absolute indices count insertions from 0 and never wrap.
 */

/** §4.5.1.1: entries a table of this capacity can hold at most; an entry takes 32 bytes at least. */
export function maxEntries(maxTableCapacity: number): number {
  return Math.floor(maxTableCapacity / 32)
}

/** §3.2.5: absolute index from a relative one on the encoder stream, and the other way round. */
export function relativeToInsertCount(insertCount: number, index: number): number {
  return insertCount - 1 - index
}

/** §3.2.5: absolute index from a relative one in a section, and the other way round. */
export function relativeToBase(base: number, index: number): number {
  return base - 1 - index
}

/** §3.2.6. */
export function postBaseToAbsolute(base: number, index: number): number {
  return base + index
}

/** §4.5.1.1: the encoded form; `entries` is `maxEntries` of the decoder's maximum capacity. */
export function encodeRequiredInsertCount(requiredInsertCount: number, entries: number): number {
  return requiredInsertCount === 0 ? 0 : (requiredInsertCount % (2 * entries)) + 1
}

/** §4.5.1.1: the Required Insert Count behind its encoded form; -1 when no encoder can have produced it. */
export function decodeRequiredInsertCount(encoded: number, entries: number, insertCount: number): number {
  if (encoded === 0) return 0
  const fullRange = 2 * entries
  if (encoded > fullRange) return -1
  const largest = insertCount + entries
  const requiredInsertCount = Math.floor(largest / fullRange) * fullRange + encoded - 1
  if (requiredInsertCount > largest) return requiredInsertCount <= fullRange ? -1 : requiredInsertCount - fullRange
  return requiredInsertCount === 0 ? -1 : requiredInsertCount
}

/** §4.5.1.2: Base from sign and Delta Base; -1 when it would be negative. */
export function baseOf(requiredInsertCount: number, negative: boolean, deltaBase: number): number {
  if (!negative) return requiredInsertCount + deltaBase
  return requiredInsertCount <= deltaBase ? -1 : requiredInsertCount - deltaBase - 1
}
