// Certificate, with what may stand beside its leaf. RFC 9846 §4.5.1; RFC 8879 §4 for its compressed form, which holds the same body.

import { Alert, alert } from '../alerts.ts'
import { readTimestamps } from '../extensions/certificate-timestamps.ts'
import { ExtensionSite, ExtensionType, readExtensions } from '../extensions/registry.ts'
import type { ExtensionBlock } from '../extensions/registry.ts'
import { readCertificateStatus, writeCertificateStatus } from '../extensions/status-request.ts'
import { finish, message, open, vector24, vector8 } from './block.ts'
import { HandshakeType } from './message.ts'

const MAX_CERTIFICATES = 16

export interface CertificateMessage {
  /** DER as it came, leaf first. Empty: none (RFC 9846 §4.5.1). */
  readonly chain: readonly Uint8Array[]
  /** Beside the leaf; null: absent. */
  readonly ocspResponse: Uint8Array | null
  readonly signedCertificateTimestamps: Uint8Array | null
}

/** The context is empty, as always in a handshake. */
export function encodeCertificate({ chain, ocspResponse, signedCertificateTimestamps }: CertificateMessage): Uint8Array<ArrayBuffer> {
  return message(HandshakeType.certificate, (writer) => {
    writer.u8(0)
    const list = writer.begin(3)
    for (let i = 0; i < chain.length; i++) {
      writer.vector24(chain[i]!)
      const extensions = writer.begin(2)
      if (i === 0 && ocspResponse !== null) {
        writer.u16(ExtensionType.statusRequest)
        const status = writer.begin(2)
        writeCertificateStatus(writer, ocspResponse)
        writer.end(status, 2)
      }
      if (i === 0 && signedCertificateTimestamps !== null) {
        writer.u16(ExtensionType.signedCertificateTimestamp)
        writer.vector16(signedCertificateTimestamps)
      }
      writer.end(extensions, 2)
    }
    writer.end(list, 3)
  })
}

/** `asked`: the extension types of the ClientHello or CertificateRequest this answers. */
export function decodeCertificate(body: Uint8Array, asked: readonly number[]): CertificateMessage {
  const reader = open(body)
  const context = vector8(reader)
  const list = open(vector24(reader))
  finish(reader, 'Certificate')
  if (context.length !== 0) throw alert(Alert.illegalParameter, 'the context of a Certificate in the handshake is not empty')
  const chain: Uint8Array[] = []
  let leaf: ExtensionBlock | null = null
  while (!list.failed && list.remaining > 0) {
    const certificate = vector24(list)
    const extensions = readExtensions(list, ExtensionSite.certificate, asked, 'a certificate entry')
    if (list.failed) break
    if (certificate.length === 0) throw alert(Alert.decodeError, 'a certificate is empty')
    if (chain.length === MAX_CERTIFICATES) throw alert(Alert.badCertificate, `the chain has more than ${MAX_CERTIFICATES} certificates`)
    chain.push(certificate)
    leaf ??= extensions
  }
  finish(list, 'the certificate list')
  const status = leaf?.get(ExtensionType.statusRequest) ?? null
  const timestamps = leaf?.get(ExtensionType.signedCertificateTimestamp) ?? null
  return {
    chain,
    ocspResponse: status === null ? null : readCertificateStatus(status),
    signedCertificateTimestamps: timestamps === null ? null : readTimestamps(timestamps),
  }
}
