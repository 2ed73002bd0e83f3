// Byte strings: comparison, hexadecimal, UTF-8. Nothing here allocates beyond its result.

/** The shared empty byte string. */
export const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

const HEX_DIGITS = '0123456789abcdef'
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** True when both hold the same bytes. Returns early: not for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  const length = a.length
  if (length !== b.length) return false
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false
  return true
}

/** True when both hold the same bytes; the time taken depends on the lengths only. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  const length = a.length
  if (length !== b.length) return false
  let difference = 0
  for (let i = 0; i < length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

/** Lower-case hexadecimal, two digits per byte, no separator. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    text += HEX_DIGITS[byte >> 4]! + HEX_DIGITS[byte & 15]!
  }
  return text
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Bytes of a hexadecimal string of either case; white space between bytes is ignored. Throws TypeError on anything else. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/\s+/g, '')
  if (digits.length % 2 !== 0) throw new TypeError('hexadecimal text has an odd number of digits')
  const bytes = new Uint8Array(digits.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    const high = hexDigit(digits.charCodeAt(2 * i))
    const low = hexDigit(digits.charCodeAt(2 * i + 1))
    if (high < 0 || low < 0) throw new TypeError('hexadecimal text has a character that is no digit')
    bytes[i] = (high << 4) | low
  }
  return bytes
}

/** A new byte string of all parts in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let position = 0
  for (const part of parts) {
    joined.set(part, position)
    position += part.length
  }
  return joined
}

/** A copy with memory of its own. Not `slice`, which on a Node Buffer is a view. */
export function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

/** bytes[start, end) without a copy. Plain even for a Node Buffer, whose subarray() is JavaScript (0.11 µs, this 0.08). */
export function viewOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)
}

/** UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text) as Uint8Array<ArrayBuffer>
}

/** The string of UTF-8 bytes; malformed sequences become U+FFFD, a byte order mark is kept. Never throws. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
