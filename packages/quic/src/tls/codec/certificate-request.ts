// CertificateRequest, both ways. RFC 9846 §4.4.2. In the handshake its context is empty.

import { Alert, alert } from '../alerts.ts'
import { readAuthorities, writeAuthorities } from '../extensions/certificate-authorities.ts'
import { readCompressionAlgorithms, writeCompressionAlgorithms } from '../extensions/compress-certificate.ts'
import { NO_FILTERS, readOidFilters } from '../extensions/oid-filters.ts'
import type { OidFilters } from '../extensions/oid-filters.ts'
import { ExtensionSite, ExtensionType, readExtensions } from '../extensions/registry.ts'
import { finish, message, open, readNumberList16, vector8 } from './block.ts'
import { HandshakeType } from './message.ts'

export interface CertificateRequest {
  readonly signatureSchemes: readonly number[]
  /** For signatures in certificates. Empty: those of `signatureSchemes`. */
  readonly certificateSchemes: readonly number[]
  /** Distinguished names, DER. Empty: any. */
  readonly authorities: readonly Uint8Array[]
  /** What the server can decompress. */
  readonly compression: readonly number[]
  /** What the client's certificate has to be for. Read only: servers of ours ask for nothing of the kind. */
  readonly filters: OidFilters
}

/** The extension types a request of ours has and a client may answer in its Certificate: none. */
export const REQUESTED_EXTENSIONS: readonly number[] = []

export function encodeCertificateRequest(request: Omit<CertificateRequest, 'filters'>): Uint8Array<ArrayBuffer> {
  return message(HandshakeType.certificateRequest, (writer) => {
    const extension = (type: number, build: () => void): void => {
      writer.u16(type)
      const body = writer.begin(2)
      build()
      writer.end(body, 2)
    }
    const numbers = (list: readonly number[]): void => {
      const block = writer.begin(2)
      for (const value of list) writer.u16(value)
      writer.end(block, 2)
    }
    const { signatureSchemes, certificateSchemes, authorities, compression } = request
    writer.u8(0)
    const extensions = writer.begin(2)
    extension(ExtensionType.signatureAlgorithms, () => numbers(signatureSchemes))
    if (certificateSchemes.length > 0) extension(ExtensionType.signatureAlgorithmsCert, () => numbers(certificateSchemes))
    if (authorities.length > 0) extension(ExtensionType.certificateAuthorities, () => writeAuthorities(writer, authorities))
    if (compression.length > 0) extension(ExtensionType.compressCertificate, () => writeCompressionAlgorithms(writer, compression))
    writer.end(extensions, 2)
  })
}

export function decodeCertificateRequest(body: Uint8Array): CertificateRequest {
  const reader = open(body)
  const context = vector8(reader)
  const extensions = readExtensions(reader, ExtensionSite.certificateRequest, [], 'CertificateRequest')
  finish(reader, 'CertificateRequest')
  if (context.length !== 0) throw alert(Alert.illegalParameter, 'the context of a CertificateRequest in the handshake is not empty')
  const schemes = extensions.get(ExtensionType.signatureAlgorithms)
  if (schemes === null) throw alert(Alert.missingExtension, 'CertificateRequest has no signature_algorithms')
  const certificateSchemes = extensions.get(ExtensionType.signatureAlgorithmsCert)
  const authorities = extensions.get(ExtensionType.certificateAuthorities)
  const compression = extensions.get(ExtensionType.compressCertificate)
  const filters = extensions.get(ExtensionType.oidFilters)
  return {
    signatureSchemes: readNumberList16(schemes, 'signature_algorithms'),
    certificateSchemes: certificateSchemes === null ? [] : readNumberList16(certificateSchemes, 'signature_algorithms_cert'),
    authorities: authorities === null ? [] : readAuthorities(authorities),
    compression: compression === null ? [] : readCompressionAlgorithms(compression),
    filters: filters === null ? NO_FILTERS : readOidFilters(filters),
  }
}
