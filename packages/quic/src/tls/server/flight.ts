// The server's flight: ServerHello, EncryptedExtensions, Certificate, CertificateVerify, Finished. RFC 9846 §2, Figure 1.
// It rests before CertificateVerify when the key signs asynchronously.

import { EMPTY } from '../../base/bytes.ts'
import type { CipherSuiteInfo, NamedGroup, SignatureScheme } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { encodeCertificate } from '../codec/certificate.ts'
import { encodeCertificateVerify, signedContent } from '../codec/certificate-verify.ts'
import type { ClientHello } from '../codec/client-hello.ts'
import { encodeEncryptedExtensions } from '../codec/encrypted-extensions.ts'
import { encodeFinished } from '../codec/finished.ts'
import { encodeServerHello } from '../codec/server-hello.ts'
import { TlsUsageError } from '../errors.ts'
import type { TlsAnswer } from '../events.ts'
import type { KeyShareEntry } from '../extensions/key-share.ts'
import { EarlySchedule } from '../schedule/key-schedule.ts'
import type { HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Session } from '../session.ts'
import type { HandshakeState, WaitingState } from '../state.ts'
import { expectClientFinished } from './finished.ts'
import { chooseCertificate, chooseProtocol } from './negotiate.ts'

export function sendFlight(
  session: Session,
  suite: CipherSuiteInfo,
  group: NamedGroup,
  share: KeyShareEntry,
  hello: ClientHello,
): HandshakeState {
  const { config, transportParameters } = session
  if (transportParameters === null) throw new TlsUsageError('setTransportParameters() comes before the first bytes of the client')
  session.clientRandom = hello.random
  session.cipherSuite = suite.id
  session.group = group
  session.serverName = hello.serverName
  const alpn = chooseProtocol(config.alpn, hello)
  session.alpn = alpn
  const { certificate, scheme } = chooseCertificate(config, hello)
  session.signatureScheme = scheme
  session.events.push({ kind: 'peer-parameters', bytes: hello.transportParameters })

  const exchange = session.provider.keyExchange(group)
  const sharedSecret = exchange.sharedSecret(share.key)
  if (sharedSecret === null) throw alert(Alert.illegalParameter, 'the key share of the client is not a legal key')
  session.send(EncryptionLevel.initial, encodeServerHello(session.random(32), suite.id, group, exchange.publicKey))
  const schedule = new EarlySchedule(session.provider, suite).handshake(sharedSecret, session.transcript.digest())
  session.keylog('CLIENT_HANDSHAKE_TRAFFIC_SECRET', schedule.clientSecret)
  session.keylog('SERVER_HANDSHAKE_TRAFFIC_SECRET', schedule.serverSecret)
  session.keys(EncryptionLevel.handshake, 'write', suite.id, schedule.serverSecret)
  session.keys(EncryptionLevel.handshake, 'read', suite.id, schedule.clientSecret)

  session.send(EncryptionLevel.handshake, encodeEncryptedExtensions(alpn, transportParameters, hello.serverName !== null))
  session.send(EncryptionLevel.handshake, encodeCertificate(EMPTY, certificate.chain))
  const content = signedContent(session.transcript.digest())
  const signature = certificate.key.sign(scheme, content)
  if (signature !== null) return finishFlight(session, suite, schedule, scheme, signature)
  session.events.push({ kind: 'need', need: 'sign', scheme, message: content, key: certificate.key })
  return awaitSignature(session, suite, schedule, scheme)
}

function awaitSignature(session: Session, suite: CipherSuiteInfo, schedule: HandshakeSchedule, scheme: SignatureScheme): WaitingState {
  return {
    waiting: true,
    name: 'waiting for a signature',
    level: EncryptionLevel.handshake,
    onAnswer(answer: TlsAnswer): HandshakeState | null {
      return answer.need === 'sign' ? finishFlight(session, suite, schedule, scheme, answer.signature) : null
    },
  }
}

function finishFlight(
  session: Session,
  suite: CipherSuiteInfo,
  schedule: HandshakeSchedule,
  scheme: SignatureScheme,
  signature: Uint8Array,
): HandshakeState {
  session.send(EncryptionLevel.handshake, encodeCertificateVerify(scheme, signature))
  session.send(EncryptionLevel.handshake, encodeFinished(schedule.finished(schedule.serverSecret, session.transcript.digest())))
  const application = schedule.application(session.transcript.digest())
  session.enterApplication(application)
  session.keys(EncryptionLevel.application, 'write', suite.id, application.serverSecret)
  return expectClientFinished(session, suite, schedule, application)
}
