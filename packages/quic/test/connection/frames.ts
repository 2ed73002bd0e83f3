// Frames as bytes, written field by field: what tests put into packets, right or wrong.

import { concatBytes } from '../../src/base/bytes.ts'
import { Writer } from '../../src/wire/writer.ts'

/** Numbers become varints of the shortest form, byte strings stay as they are. */
export function bytes(...parts: readonly (number | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  return concatBytes(...parts.map((part) => (typeof part === 'number' ? varint(part) : part)))
}

export function varint(value: number): Uint8Array<ArrayBuffer> {
  const writer = new Writer(new Uint8Array(8))
  writer.varint(value)
  return writer.buffer.slice(0, writer.position)
}

export const PING: Uint8Array = bytes(0x01)

export function padding(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length)
}

/** Acknowledges [smallest, largest]. */
export function ack(smallest: number, largest: number): Uint8Array<ArrayBuffer> {
  return bytes(0x02, largest, 0, 0, largest - smallest)
}

export function stream(id: number, offset: number, data: Uint8Array, fin: boolean = false): Uint8Array<ArrayBuffer> {
  return bytes(fin ? 0x0f : 0x0e, id, offset, data.length, data)
}

export function crypto(offset: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes(0x06, offset, data.length, data)
}

export function resetStream(id: number, code: number, finalSize: number): Uint8Array<ArrayBuffer> {
  return bytes(0x04, id, code, finalSize)
}

export function resetStreamAt(id: number, code: number, finalSize: number, reliableSize: number): Uint8Array<ArrayBuffer> {
  return bytes(0x24, id, code, finalSize, reliableSize)
}

export function stopSending(id: number, code: number): Uint8Array<ArrayBuffer> {
  return bytes(0x05, id, code)
}

export function newConnectionId(sequence: number, retirePriorTo: number, id: Uint8Array, token: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes(0x18, sequence, retirePriorTo, Uint8Array.of(id.length), id, token)
}

export function retireConnectionId(sequence: number): Uint8Array<ArrayBuffer> {
  return bytes(0x19, sequence)
}

export function pathChallenge(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes(0x1a, data)
}

export function pathResponse(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes(0x1b, data)
}

export function datagram(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes(0x31, data.length, data)
}

export function closeTransport(code: number): Uint8Array<ArrayBuffer> {
  return bytes(0x1c, code, 0, 0)
}

export function closeApplication(code: number): Uint8Array<ArrayBuffer> {
  return bytes(0x1d, code, 0)
}
