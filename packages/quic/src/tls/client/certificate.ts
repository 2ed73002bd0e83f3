// Waiting for the server's Certificate, with or without a CertificateRequest before it. RFC 9846 §4.4.2, §4.5.1.

import { invariant } from '../../base/assert.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { judgePeer, readCertificate } from '../authentication/peer-certificate.ts'
import { expectCertificateVerify } from '../authentication/peer-proof.ts'
import { decodeCertificateRequest } from '../codec/certificate-request.ts'
import type { CertificateRequest } from '../codec/certificate-request.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Handshake } from '../handshake.ts'
import type { ReadingState } from '../state.ts'
import { expectServerFinished } from './finished.ts'

export function expectCertificateOrRequest(handshake: Handshake, asked: readonly number[], schedule: HandshakeSchedule): ReadingState {
  return {
    waiting: false,
    name: 'waiting for Certificate or CertificateRequest',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type !== HandshakeType.certificateRequest) return acceptCertificate(handshake, asked, schedule, null, message)
      const request = decodeCertificateRequest(message.body)
      handshake.transcript.add(message.bytes)
      return expectCertificate(handshake, asked, schedule, request)
    },
  }
}

function expectCertificate(
  handshake: Handshake,
  asked: readonly number[],
  schedule: HandshakeSchedule,
  request: CertificateRequest,
): ReadingState {
  return {
    waiting: false,
    name: 'waiting for Certificate',
    level: EncryptionLevel.handshake,
    onMessage: (message: HandshakeMessage) => acceptCertificate(handshake, asked, schedule, request, message),
  }
}

function acceptCertificate(
  handshake: Handshake,
  asked: readonly number[],
  schedule: HandshakeSchedule,
  request: CertificateRequest | null,
  message: HandshakeMessage,
): ReadingState | null {
  const { verify } = handshake.config
  invariant(verify !== undefined, 'a client knows how to judge a server')
  const certificate = readCertificate(handshake, message, asked)
  if (certificate === null) return null
  if (certificate.chain.length === 0) throw alert(Alert.decodeError, 'the server sent no certificate')
  const identity = judgePeer(handshake, verify, certificate)
  handshake.ocspResponse = certificate.ocspResponse
  handshake.signedCertificateTimestamps = certificate.signedCertificateTimestamps
  handshake.transcript.add(message.bytes)
  return expectCertificateVerify(handshake, identity, () => expectServerFinished(handshake, schedule, request))
}
