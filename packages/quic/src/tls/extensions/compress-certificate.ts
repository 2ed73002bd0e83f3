// compress_certificate: the algorithms its sender can decompress. RFC 8879 §3.

import { finish, open, readNumbers, vector8 } from '../codec/block.ts'
import type { BlockWriter } from '../codec/block.ts'

export function writeCompressionAlgorithms(writer: BlockWriter, algorithms: readonly number[]): void {
  const list = writer.begin(1)
  for (const algorithm of algorithms) writer.u16(algorithm)
  writer.end(list, 1)
}

export function readCompressionAlgorithms(body: Uint8Array): number[] {
  const reader = open(body)
  const list = vector8(reader)
  finish(reader, 'compress_certificate')
  return readNumbers(list, 'compress_certificate')
}
