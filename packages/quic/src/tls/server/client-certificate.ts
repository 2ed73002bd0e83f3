// A server that asks its client for a certificate: the request, and waiting for the answer. RFC 9846 §4.4.2, §4.5.1.3.

import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { judgePeer, offeredCompression, readCertificate } from '../authentication/peer-certificate.ts'
import { expectCertificateVerify } from '../authentication/peer-proof.ts'
import { TrustAnchors } from '../certificates/roots.ts'
import { REQUESTED_EXTENSIONS, encodeCertificateRequest } from '../codec/certificate-request.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { ClientAuthentication } from '../config.ts'
import type { Handshake } from '../handshake.ts'
import { CERTIFICATE_SCHEMES, HANDSHAKE_SCHEMES } from '../signature-schemes.ts'
import type { ReadingState } from '../state.ts'

/** A system's store has hundreds: they would fill datagrams and choose nothing. */
const MAX_AUTHORITIES = 64

/** What this connection asks of its client; null: nothing. */
export function clientAuthentication({ config, context }: Handshake): ClientAuthentication | null {
  return context?.clientAuthentication ?? config.clientAuthentication ?? null
}

export function sendCertificateRequest(handshake: Handshake, authentication: ClientAuthentication): void {
  const request = encodeCertificateRequest({
    signatureSchemes: HANDSHAKE_SCHEMES,
    certificateSchemes: CERTIFICATE_SCHEMES,
    authorities: authoritiesOf(authentication),
    compression: offeredCompression(handshake).map(({ algorithm }) => algorithm),
  })
  handshake.send(EncryptionLevel.handshake, request)
}

function authoritiesOf({ authorities, verify }: ClientAuthentication): readonly Uint8Array[] {
  if (authorities !== undefined) return authorities
  if (verify.mode !== 'chain') return []
  const roots = verify.roots instanceof TrustAnchors ? verify.roots : TrustAnchors.from(verify.roots)
  const subjects = roots.subjects()
  return subjects.length <= MAX_AUTHORITIES ? subjects : []
}

/** `then` gives the state that waits for Finished. */
export function expectClientCertificate(handshake: Handshake, authentication: ClientAuthentication, then: () => ReadingState): ReadingState {
  return {
    waiting: false,
    name: 'waiting for Certificate',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): ReadingState | null {
      const certificate = readCertificate(handshake, message, REQUESTED_EXTENSIONS)
      if (certificate === null) return null
      if (certificate.chain.length === 0) {
        if (authentication.required === true) throw alert(Alert.certificateRequired, 'the client has no certificate')
        handshake.transcript.add(message.bytes)
        return then()
      }
      const identity = judgePeer(handshake, authentication.verify, certificate)
      handshake.transcript.add(message.bytes)
      return expectCertificateVerify(handshake, identity, then)
    },
  }
}
