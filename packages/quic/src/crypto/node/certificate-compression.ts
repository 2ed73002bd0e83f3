// Certificate compression over node:zlib (RFC 8879 §7.3). What comes out is bounded by the length that was announced, so a small
// message cannot become a large one.

import * as zlib from 'node:zlib'
import type { CertificateCompressor } from '../provider.ts'
import { plainBytes } from './hash.ts'

type Bounded = (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer

function compressor(algorithm: number, compress: (bytes: Uint8Array) => Buffer, decompress: Bounded): CertificateCompressor {
  return {
    algorithm,
    compress: (bytes) => plainBytes(compress(bytes)),
    decompress(bytes, length) {
      if (length < 1) return null
      try {
        const output = decompress(bytes, { maxOutputLength: length })
        return output.length === length ? plainBytes(output) : null
      } catch {
        // Not of this format, or more than `length` bytes.
        return null
      }
    },
  }
}

/** Node 20 has no zstd; neither have its types. */
interface ZstdFunctions {
  readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer
  readonly zstdDecompressSync?: Bounded
}

function zstd(): CertificateCompressor[] {
  const { zstdCompressSync, zstdDecompressSync } = zlib as unknown as ZstdFunctions
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return []
  return [compressor(3, zstdCompressSync, zstdDecompressSync)]
}

/** A chain is compressed once per certificate and decompressed once per handshake: brotli is the smallest of them. */
export const NODE_COMPRESSORS: readonly CertificateCompressor[] = [
  compressor(2, zlib.brotliCompressSync, zlib.brotliDecompressSync),
  ...zstd(),
  compressor(1, zlib.deflateSync, zlib.inflateSync),
]
