/** Hashes of field names and values, 32 bits. They choose where to look; what is found there is compared as a whole. */

/** From length and three characters: with these multipliers the top 8 bits of all names of the static table differ. */
export function nameHash(name: string): number {
  const length = name.length
  if (length === 0) return 0
  return (
    Math.imul(length, 0x707c9ce7) +
    Math.imul(name.charCodeAt(0), 0x13c8a95d) +
    Math.imul(name.charCodeAt(length - 1), 0x7e8a113b) +
    Math.imul(name.charCodeAt(length > 2 ? length - 3 : 0), 0x754d5331)
  ) | 0
}

/** Values up to this length are hashed as a whole, longer ones at this many places beside their ends. */
const WHOLE = 32

/** Of name and value, given the name's. */
export function fieldHash(name: number, value: string): number {
  const length = value.length
  let hash = name ^ Math.imul(length, 0x9e3779b1)
  if (length <= WHOLE) {
    for (let i = 0; i < length; i += 1) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193)
  } else {
    const step = (length - 16) / WHOLE
    for (let i = 0; i < WHOLE; i += 1) hash = Math.imul(hash ^ value.charCodeAt((i * step) | 0), 0x01000193)
    for (let i = length - 16; i < length; i += 1) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193)
  }
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
