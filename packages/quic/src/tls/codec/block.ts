// The presentation language of RFC 9846 §3 over the wire room's Reader, and a growing writer for messages we build.
// Everything that reads ends in finish(): a field that ran over the end, or bytes left over, are a decode_error there.

import { Reader } from '../../wire/reader.ts'
import { Alert, alert } from '../alerts.ts'

/** A reader over the whole of `bytes`. */
export function open(bytes: Uint8Array): Reader {
  const reader = new Reader()
  reader.reset(bytes, 0, bytes.length)
  return reader
}

/** Refuses a structure that was cut short or has bytes after its end. */
export function finish(reader: Reader, what: string): void {
  if (reader.failed) throw alert(Alert.decodeError, `${what} is cut short`)
  if (reader.remaining !== 0) throw alert(Alert.decodeError, `${what} has ${reader.remaining} bytes left over`)
}

/** opaque<0..2^8-1> as a view; a length beyond the end marks the reader failed and gives nothing. */
export function vector8(reader: Reader): Uint8Array {
  return reader.view(reader.u8())
}

export function vector16(reader: Reader): Uint8Array {
  return reader.view(reader.u16())
}

export function vector24(reader: Reader): Uint8Array {
  return reader.view(reader.u24())
}

/** A whole body that is one list of uint16 with a two-byte length, at least one entry. */
export function readNumberList16(body: Uint8Array, what: string): number[] {
  const reader = open(body)
  const list = readNumbers(vector16(reader), what)
  finish(reader, what)
  return list
}

/** Two-byte numbers that fill `bytes`, at least one. */
export function readNumbers(bytes: Uint8Array, what: string): number[] {
  if (bytes.length === 0 || bytes.length % 2 !== 0) throw alert(Alert.decodeError, `${what} has a length of ${bytes.length}`)
  const list: number[] = []
  for (let i = 0; i < bytes.length; i += 2) list.push((bytes[i]! << 8) | bytes[i + 1]!)
  return list
}

/** Builds one message. begin*() opens a vector whose length end() fills in. */
export class BlockWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #length: number

  constructor() {
    this.#bytes = new Uint8Array(512)
    this.#length = 0
  }

  #reserve(count: number): number {
    const at = this.#length
    if (at + count > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(at + count, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
    }
    this.#length = at + count
    return at
  }

  u8(value: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = value
  }

  u16(value: number): void {
    const at = this.#reserve(2)
    this.#bytes[at] = value >>> 8
    this.#bytes[at + 1] = value
  }

  u32(value: number): void {
    this.u16(value >>> 16)
    this.u16(value & 0xffff)
  }

  bytes(source: Uint8Array): void {
    const at = this.#reserve(source.length)
    this.#bytes.set(source, at)
  }

  vector8(source: Uint8Array): void {
    const block = this.begin(1)
    this.bytes(source)
    this.end(block, 1)
  }

  vector16(source: Uint8Array): void {
    const block = this.begin(2)
    this.bytes(source)
    this.end(block, 2)
  }

  vector24(source: Uint8Array): void {
    const block = this.begin(3)
    this.bytes(source)
    this.end(block, 3)
  }

  /** Leaves room for a length of `width` bytes; the result goes to end(). */
  begin(width: 1 | 2 | 3): number {
    return this.#reserve(width)
  }

  end(block: number, width: 1 | 2 | 3): void {
    let length = this.#length - block - width
    if (length >= 2 ** (8 * width)) throw alert(Alert.internalError, 'a handshake vector is longer than its length field can say')
    for (let i = width - 1; i >= 0; i--) {
      this.#bytes[block + i] = length & 0xff
      length >>>= 8
    }
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length)
  }
}

/** A whole handshake message: header, then what `build` writes. */
export function message(type: number, build: (writer: BlockWriter) => void): Uint8Array<ArrayBuffer> {
  const writer = new BlockWriter()
  writer.u8(type)
  const body = writer.begin(3)
  build(writer)
  writer.end(body, 3)
  return writer.take()
}
