// Waiting for CertificateVerify: the server proves that it holds the key of its leaf. RFC 9846 §4.5.2.
// Signatures the provider could not check synchronously, of the chain and this one, are asked of the owner in one go.

import type { SignatureScheme } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { keyFitsScheme } from '../certificates/parse.ts'
import type { ParsedCertificate } from '../certificates/parse.ts'
import { decodeCertificateVerify, signedContent } from '../codec/certificate-verify.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import { CertificateError } from '../errors.ts'
import type { TlsAnswer, VerifyItem } from '../events.ts'
import type { HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Handshake } from '../handshake.ts'
import { HANDSHAKE_SCHEMES } from '../signature-schemes.ts'
import type { HandshakeState, ReadingState, WaitingState } from '../state.ts'
import { expectServerFinished } from './finished.ts'

/** The server as known after its Certificate. */
export interface ServerIdentity {
  readonly leaf: ParsedCertificate
  /** Signatures of the chain nobody has checked yet. */
  readonly open: readonly VerifyItem[]
  /** The server asked for a client certificate. */
  readonly requested: boolean
}

export function expectCertificateVerify(handshake: Handshake, schedule: HandshakeSchedule, identity: ServerIdentity): ReadingState {
  return {
    waiting: false,
    name: 'waiting for CertificateVerify',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): HandshakeState | null {
      if (message.type !== HandshakeType.certificateVerify) return null
      const { scheme, signature } = decodeCertificateVerify(message.body)
      const known = HANDSHAKE_SCHEMES.find((offered) => offered === scheme)
      if (known === undefined) throw alert(Alert.illegalParameter, `signature scheme ${scheme} was not offered`)
      const { leaf, open, requested } = identity
      if (!keyFitsScheme(leaf, known)) throw alert(Alert.illegalParameter, `signature scheme ${scheme} does not fit the certificate`)
      const item: VerifyItem = { scheme: known, spki: leaf.spki, message: signedContent(handshake.transcript.digest()), signature }
      const valid = handshake.provider.verify(item.scheme, item.spki, item.message, item.signature)
      if (valid === false) throw wrongSignature()
      handshake.transcript.add(message.bytes)
      handshake.signatureScheme = known
      if (valid === true && open.length === 0) return expectServerFinished(handshake, schedule, requested)
      return awaitVerification(handshake, schedule, requested, open, valid === null ? item : null, known)
    },
  }
}

function awaitVerification(
  handshake: Handshake,
  schedule: HandshakeSchedule,
  requested: boolean,
  open: readonly VerifyItem[],
  own: VerifyItem | null,
  scheme: SignatureScheme,
): WaitingState {
  const items = own === null ? open : [...open, own]
  handshake.events.push({ kind: 'need', need: 'verify', items })
  return {
    waiting: true,
    name: 'waiting for signatures to be checked',
    level: EncryptionLevel.handshake,
    onAnswer(answer: TlsAnswer): HandshakeState | null {
      if (answer.need !== 'verify' || answer.valid.length !== items.length) return null
      for (let i = 0; i < open.length; i++) {
        if (answer.valid[i] !== true) throw new CertificateError('bad-signature', 'a signature in the certificate chain is wrong')
      }
      if (own !== null && answer.valid[open.length] !== true) throw wrongSignature()
      handshake.signatureScheme = scheme
      return expectServerFinished(handshake, schedule, requested)
    },
  }
}

function wrongSignature(): Error {
  return alert(Alert.decryptError, 'the signature of CertificateVerify is wrong')
}
