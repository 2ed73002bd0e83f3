// The little DER that key containers need (X.690 §10): definite lengths, low tag numbers, nothing nested for us.
// Reading never throws: a malformed element is null.

import { concatBytes } from '../base/bytes.ts'

export const DerTag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  sequence: 0x30,
  context0: 0xa0,
  context1: 0xa1,
} as const

/** A cursor over the elements of one container. */
export class DerReader {
  private readonly bytes: Uint8Array
  private position: number

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.position = 0
  }

  atEnd(): boolean {
    return this.position === this.bytes.length
  }

  peekTag(): number {
    return this.position < this.bytes.length ? this.bytes[this.position]! : -1
  }

  /** The content of the next element when it has this tag; null, and no movement, otherwise. */
  take(tag: number): Uint8Array | null {
    const bytes = this.bytes
    let at = this.position
    if (at + 2 > bytes.length || bytes[at] !== tag) return null
    let length = bytes[at + 1]!
    at += 2
    if (length >= 0x80) {
      const count = length & 0x7f
      if (count === 0 || count > 3 || at + count > bytes.length) return null
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + bytes[at + i]!
      // DER: the shortest form only.
      if (length < 0x80 || length < 256 ** (count - 1)) return null
      at += count
    }
    if (at + length > bytes.length) return null
    this.position = at + length
    return bytes.subarray(at, at + length)
  }

  /** Like take, and opens what it found. */
  enter(tag: number): DerReader | null {
    const content = this.take(tag)
    return content === null ? null : new DerReader(content)
  }
}

/** The single element `bytes` consists of, opened; null when it has another tag or bytes follow it. */
export function derContainer(bytes: Uint8Array, tag: number): DerReader | null {
  const outer = new DerReader(bytes)
  const inner = outer.enter(tag)
  return outer.atEnd() ? inner : null
}

export function derElement(tag: number, ...content: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concatBytes(...content)
  const length = body.length
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : length < 0x10000
          ? [tag, 0x82, length >>> 8, length & 0xff]
          : [tag, 0x83, length >>> 16, (length >>> 8) & 0xff, length & 0xff]
  return concatBytes(Uint8Array.from(head), body)
}
