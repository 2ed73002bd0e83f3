// CompressedCertificate: the body of a Certificate in fewer bytes. RFC 8879 §4. What it says of its length bounds what it may become.

import type { CertificateCompressor } from '../../crypto/provider.ts'
import { Alert, alert } from '../alerts.ts'
import { finish, message, open, vector24 } from './block.ts'
import { HandshakeType, MESSAGE_HEADER } from './message.ts'

/** Longest Certificate taken in this form; as long as one that is not compressed may be. */
export const MAX_UNCOMPRESSED = 65_536

/** `certificate`: a whole Certificate message. */
export function encodeCompressedCertificate(certificate: Uint8Array, compressor: CertificateCompressor): Uint8Array<ArrayBuffer> {
  const body = certificate.subarray(MESSAGE_HEADER)
  return message(HandshakeType.compressedCertificate, (writer) => {
    writer.u16(compressor.algorithm)
    writer.u8(body.length >>> 16)
    writer.u16(body.length & 0xffff)
    writer.vector24(compressor.compress(body))
  })
}

/** The body of the Certificate. `offered`: what we said we can decompress. */
export function decompressCertificate(body: Uint8Array, offered: readonly CertificateCompressor[]): Uint8Array {
  const reader = open(body)
  const algorithm = reader.u16()
  const length = reader.u24()
  const compressed = vector24(reader)
  finish(reader, 'CompressedCertificate')
  if (compressed.length === 0) throw alert(Alert.decodeError, 'CompressedCertificate is empty')
  const compressor = offered.find((entry) => entry.algorithm === algorithm)
  if (compressor === undefined) throw alert(Alert.illegalParameter, `certificate compression ${algorithm} was not offered`)
  // RFC 8879 §4, §5: bad_certificate for what is too long, too short or cannot be decompressed.
  if (length > MAX_UNCOMPRESSED) throw alert(Alert.badCertificate, `CompressedCertificate announces ${length} bytes`)
  const certificate = compressor.decompress(compressed, length)
  if (certificate === null) throw alert(Alert.badCertificate, `CompressedCertificate does not become the ${length} bytes it announces`)
  return certificate
}
