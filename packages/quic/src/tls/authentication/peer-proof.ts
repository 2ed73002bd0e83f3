// Waiting for CertificateVerify: the peer proves that it holds the key of its leaf. RFC 9846 §4.5.2.
// Signatures the provider could not check synchronously, of the chain and this one, are asked of the owner in one go; whether the
// peer is welcome at all, where the owner wants to say so, comes last.

import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { keyFitsScheme } from '../certificates/parse.ts'
import { decodeCertificateVerify, signedContent } from '../codec/certificate-verify.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import { CertificateError } from '../errors.ts'
import type { TlsAnswer, VerifyItem } from '../events.ts'
import type { Handshake } from '../handshake.ts'
import { HANDSHAKE_SCHEMES } from '../signature-schemes.ts'
import type { HandshakeState, ReadingState } from '../state.ts'
import type { PeerIdentity } from './peer-certificate.ts'

/** `then` is what comes when the peer is who it says. */
export function expectCertificateVerify(handshake: Handshake, { leaf, open }: PeerIdentity, then: () => HandshakeState): ReadingState {
  const signer = handshake.config.role === 'client' ? 'server' : 'client'
  return {
    waiting: false,
    name: 'waiting for CertificateVerify',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): HandshakeState | null {
      if (message.type !== HandshakeType.certificateVerify) return null
      const { scheme, signature } = decodeCertificateVerify(message.body)
      const known = HANDSHAKE_SCHEMES.find((offered) => offered === scheme)
      if (known === undefined) throw alert(Alert.illegalParameter, `signature scheme ${scheme} was not offered`)
      if (!keyFitsScheme(leaf, known)) throw alert(Alert.illegalParameter, `signature scheme ${scheme} does not fit the certificate`)
      const content = signedContent(signer, handshake.transcript.digest())
      const item: VerifyItem = { scheme: known, spki: leaf.spki, message: content, signature }
      const valid = handshake.provider.verify(item.scheme, item.spki, item.message, item.signature)
      if (valid === false) throw wrongSignature()
      handshake.transcript.add(message.bytes)
      if (handshake.config.role === 'client') handshake.signatureScheme = known
      if (valid === true && open.length === 0) return askOwner(handshake, then)
      return awaitVerification(handshake, open, valid === null ? item : null, then)
    },
  }
}

function awaitVerification(
  handshake: Handshake,
  open: readonly VerifyItem[],
  own: VerifyItem | null,
  then: () => HandshakeState,
): HandshakeState {
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
      return askOwner(handshake, then)
    },
  }
}

function askOwner(handshake: Handshake, then: () => HandshakeState): HandshakeState {
  const { config, peerCertificates, serverName, ocspResponse, signedCertificateTimestamps } = handshake
  if (config.asksPeer !== true) return then()
  handshake.events.push({
    kind: 'need',
    need: 'peer',
    certificates: peerCertificates,
    serverName: config.role === 'client' ? (config.serverName ?? null) : serverName,
    ocspResponse,
    signedCertificateTimestamps,
  })
  return {
    waiting: true,
    name: 'waiting for the verdict on the peer',
    level: EncryptionLevel.handshake,
    onAnswer(answer: TlsAnswer): HandshakeState | null {
      if (answer.need !== 'peer') return null
      if (answer.refusal !== null) throw new CertificateError('refused', answer.refusal)
      handshake.verified = true
      return then()
    },
  }
}

function wrongSignature(): Error {
  return alert(Alert.decryptError, 'the signature of CertificateVerify is wrong')
}
