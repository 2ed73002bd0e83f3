// CertificateVerify and the bytes it signs. RFC 9846 §4.5.2.

import { utf8 } from '../../base/bytes.ts'
import { finish, message, open, vector16 } from './block.ts'
import { HandshakeType } from './message.ts'

export interface CertificateVerify {
  readonly scheme: number
  readonly signature: Uint8Array
}

export function encodeCertificateVerify(scheme: number, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  return message(HandshakeType.certificateVerify, (writer) => {
    writer.u16(scheme)
    writer.vector16(signature)
  })
}

export function decodeCertificateVerify(body: Uint8Array): CertificateVerify {
  const reader = open(body)
  const scheme = reader.u16()
  const signature = vector16(reader)
  finish(reader, 'CertificateVerify')
  return { scheme, signature }
}

/** 64 spaces, the context string of the signer's role, a zero byte, the transcript hash up to Certificate. */
export function signedContent(signer: 'client' | 'server', transcriptHash: Uint8Array): Uint8Array<ArrayBuffer> {
  const context = utf8(`TLS 1.3, ${signer} CertificateVerify`)
  const content = new Uint8Array(64 + context.length + 1 + transcriptHash.length)
  content.fill(0x20, 0, 64)
  content.set(context, 64)
  content.set(transcriptHash, 64 + context.length + 1)
  return content
}
