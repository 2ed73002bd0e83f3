// OCSP responses beside certificates: status_request in a ClientHello or CertificateRequest, CertificateStatus in a Certificate.
// RFC 6066 §8, RFC 9846 §4.5.1.1. The response itself is for whoever asked for it.

import { Alert, alert } from '../alerts.ts'
import { finish, open, vector16, vector24 } from '../codec/block.ts'
import type { BlockWriter } from '../codec/block.ts'

const OCSP = 1

/** Any responder, no request extensions. */
export function writeStatusRequest(writer: BlockWriter): void {
  writer.u8(OCSP)
  writer.u16(0)
  writer.u16(0)
}

/** True: an OCSP response is wanted. Other types of status are none of our business. */
export function readStatusRequest(body: Uint8Array): boolean {
  const reader = open(body)
  if (reader.u8() !== OCSP) return false
  vector16(reader)
  vector16(reader)
  finish(reader, 'status_request')
  return true
}

export function writeCertificateStatus(writer: BlockWriter, response: Uint8Array): void {
  writer.u8(OCSP)
  writer.vector24(response)
}

export function readCertificateStatus(body: Uint8Array): Uint8Array {
  const reader = open(body)
  const type = reader.u8()
  const response = vector24(reader)
  finish(reader, 'CertificateStatus')
  if (type !== OCSP) throw alert(Alert.illegalParameter, `CertificateStatus has type ${type}`)
  if (response.length === 0) throw alert(Alert.decodeError, 'CertificateStatus holds no response')
  return response
}
