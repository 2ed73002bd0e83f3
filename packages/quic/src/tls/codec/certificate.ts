// Certificate and CertificateRequest. RFC 9846 §4.5.1, §4.4.2.

import { Alert, alert } from '../alerts.ts'
import { ExtensionSite, ExtensionType, readExtensions } from '../extensions/registry.ts'
import { finish, message, open, readNumberList16, vector24, vector8 } from './block.ts'
import { HandshakeType } from './message.ts'

const MAX_CERTIFICATES = 16

export function encodeCertificate(context: Uint8Array, chain: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return message(HandshakeType.certificate, (writer) => {
    writer.vector8(context)
    const list = writer.begin(3)
    for (const certificate of chain) {
      writer.vector24(certificate)
      writer.u16(0)
    }
    writer.end(list, 3)
  })
}

/** The server's chain, leaf first: DER as it came. An empty one is a decode_error (RFC 9846 §4.5.1.3). */
export function decodeServerCertificate(body: Uint8Array, asked: readonly number[]): Uint8Array[] {
  const reader = open(body)
  const context = vector8(reader)
  const list = open(vector24(reader))
  finish(reader, 'Certificate')
  if (context.length !== 0) throw alert(Alert.illegalParameter, "the context of a server's Certificate is not empty")
  const chain: Uint8Array[] = []
  while (!list.failed && list.remaining > 0) {
    const certificate = vector24(list)
    readExtensions(list, ExtensionSite.certificate, asked, 'a certificate entry')
    if (list.failed) break
    if (certificate.length === 0) throw alert(Alert.decodeError, 'a certificate is empty')
    if (chain.length === MAX_CERTIFICATES) throw alert(Alert.badCertificate, `the chain has more than ${MAX_CERTIFICATES} certificates`)
    chain.push(certificate)
  }
  finish(list, 'the certificate list')
  if (chain.length === 0) throw alert(Alert.decodeError, 'the server sent no certificate')
  return chain
}

/** Checks the request; only its context matters to a client without certificates, and in the handshake it is empty. */
export function decodeCertificateRequest(body: Uint8Array): void {
  const reader = open(body)
  const context = vector8(reader)
  const extensions = readExtensions(reader, ExtensionSite.certificateRequest, [], 'CertificateRequest')
  finish(reader, 'CertificateRequest')
  if (context.length !== 0) throw alert(Alert.illegalParameter, 'the context of a CertificateRequest in the handshake is not empty')
  const schemes = extensions.get(ExtensionType.signatureAlgorithms)
  if (schemes === null) throw alert(Alert.missingExtension, 'CertificateRequest has no signature_algorithms')
  readNumberList16(schemes, 'signature_algorithms')
}
