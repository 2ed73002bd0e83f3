// Waiting for the server's Certificate, with or without a CertificateRequest before it. RFC 9846 §4.4.2, §4.5.1.

import { EncryptionLevel } from '../../wire/constants.ts'
import { parseCertificate } from '../certificates/parse.ts'
import type { ParsedCertificate } from '../certificates/parse.ts'
import { TrustAnchors } from '../certificates/roots.ts'
import { verifyChain } from '../certificates/verify.ts'
import { decodeCertificateRequest, decodeServerCertificate } from '../codec/certificate.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { VerifyItem } from '../events.ts'
import type { HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Handshake } from '../handshake.ts'
import type { ReadingState } from '../state.ts'
import { expectCertificateVerify } from './certificate-verify.ts'

export function expectCertificateOrRequest(handshake: Handshake, asked: readonly number[], schedule: HandshakeSchedule): ReadingState {
  return {
    waiting: false,
    name: 'waiting for Certificate or CertificateRequest',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type === HandshakeType.certificate) return acceptCertificate(handshake, asked, schedule, false, message)
      if (message.type !== HandshakeType.certificateRequest) return null
      decodeCertificateRequest(message.body)
      handshake.transcript.add(message.bytes)
      return expectCertificate(handshake, asked, schedule)
    },
  }
}

function expectCertificate(handshake: Handshake, asked: readonly number[], schedule: HandshakeSchedule): ReadingState {
  return {
    waiting: false,
    name: 'waiting for Certificate',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): ReadingState | null {
      return message.type === HandshakeType.certificate ? acceptCertificate(handshake, asked, schedule, true, message) : null
    },
  }
}

function acceptCertificate(
  handshake: Handshake,
  asked: readonly number[],
  schedule: HandshakeSchedule,
  requested: boolean,
  message: HandshakeMessage,
): ReadingState {
  const chain = decodeServerCertificate(message.body, asked)
  const leaf = parseCertificate(chain[0]!, 'the certificate of the server')
  const open = judge(handshake, chain, leaf)
  handshake.peerCertificates = chain
  handshake.transcript.add(message.bytes)
  return expectCertificateVerify(handshake, schedule, { leaf, open, requested })
}

/** Checks the chain as configured; gives the signatures that are still to be checked by somebody else. */
function judge(handshake: Handshake, chain: readonly Uint8Array[], leaf: ParsedCertificate): readonly VerifyItem[] {
  const { verify, serverName, provider } = handshake.config
  if (verify === undefined || verify.mode === 'insecure') return []
  const roots = verify.roots instanceof TrustAnchors ? verify.roots : TrustAnchors.from(verify.roots)
  const intermediates = chain.slice(1).map((der) => parseCertificate(der, 'an intermediate certificate'))
  // Signatures still open are checked before the handshake goes on.
  handshake.verified = true
  return verifyChain({ provider, leaf, intermediates, roots, serverName: serverName ?? '', unixTimeMs: verify.unixTimeMs })
}
