// The server's flight: ServerHello, EncryptedExtensions, Certificate, CertificateVerify, Finished. RFC 9846 §2, Figure 1.
// Resumed, it has no certificate (§2.2). It rests before CertificateVerify when the key signs asynchronously.

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
import { PSK_DHE_KE } from '../extensions/pre-shared-key.ts'
import { EarlySchedule } from '../schedule/key-schedule.ts'
import type { HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Handshake } from '../handshake.ts'
import type { HandshakeState, WaitingState } from '../state.ts'
import { expectClientFinished } from './finished.ts'
import { chooseCertificate, chooseProtocol } from './negotiate.ts'
import { admitsEarlyData } from './resume.ts'
import type { Resumption } from './resume.ts'

/** The group, and the client's share for it. */
export interface ChosenShare {
  readonly group: NamedGroup
  readonly share: KeyShareEntry
}

/** The transcript ends with `hello`. */
export function sendFlight(
  handshake: Handshake,
  suite: CipherSuiteInfo,
  { group, share }: ChosenShare,
  hello: ClientHello,
  resumption: Resumption | null,
): HandshakeState {
  const { config, transportParameters } = handshake
  if (transportParameters === null) throw new TlsUsageError('setTransportParameters() comes before the first bytes of the client')
  handshake.clientRandom = hello.random
  handshake.cipherSuite = suite.id
  handshake.group = group
  handshake.serverName = hello.serverName
  const alpn = chooseProtocol(config.alpn, hello)
  handshake.alpn = alpn
  const choice = resumption === null ? chooseCertificate(config, hello) : null
  handshake.resumed = resumption !== null
  handshake.ticketsWanted = hello.pskModes.includes(PSK_DHE_KE)
  handshake.authenticatedAt = resumption?.ticket.content.authenticatedAt ?? handshake.now
  handshake.events.push({ kind: 'peer-parameters', bytes: hello.transportParameters })

  const agreement = handshake.provider.answerKeyExchange(group, share.key)
  if (agreement === null) throw alert(Alert.illegalParameter, 'the key share of the client is not a legal key')
  const early = resumption?.schedule ?? new EarlySchedule(handshake.provider, suite, null)
  if (hello.earlyData) answerEarlyData(handshake, suite, early, resumption)
  const answer: KeyShareEntry = { group, key: agreement.share }
  handshake.send(EncryptionLevel.initial, encodeServerHello(handshake.random(32), suite.id, answer, resumption?.index ?? null))
  const schedule = early.handshake(agreement.sharedSecret, handshake.transcript.digest())
  handshake.keylog('CLIENT_HANDSHAKE_TRAFFIC_SECRET', schedule.clientSecret)
  handshake.keylog('SERVER_HANDSHAKE_TRAFFIC_SECRET', schedule.serverSecret)
  handshake.keys(EncryptionLevel.handshake, 'write', suite.id, schedule.serverSecret)
  handshake.keys(EncryptionLevel.handshake, 'read', suite.id, schedule.clientSecret)

  // RFC 6066 §3: a resumed session does not acknowledge the name.
  const acknowledgeName = resumption === null && hello.serverName !== null
  const extensions = encodeEncryptedExtensions(alpn, transportParameters, acknowledgeName, handshake.earlyData)
  handshake.send(EncryptionLevel.handshake, extensions)
  if (choice === null) return finishFlight(handshake, suite, schedule)
  const { certificate, scheme } = choice
  handshake.signatureScheme = scheme
  handshake.send(EncryptionLevel.handshake, encodeCertificate(EMPTY, certificate.chain))
  const content = signedContent(handshake.transcript.digest())
  const signature = certificate.key.sign(scheme, content)
  if (signature !== null) return proveAndFinish(handshake, suite, schedule, scheme, signature)
  handshake.events.push({ kind: 'need', need: 'sign', scheme, message: content, key: certificate.key })
  return awaitSignature(handshake, suite, schedule, scheme)
}

function answerEarlyData(handshake: Handshake, suite: CipherSuiteInfo, early: EarlySchedule, resumption: Resumption | null): void {
  const accepted = admitsEarlyData(handshake, suite, resumption)
  handshake.decideEarlyData(accepted)
  if (!accepted) return
  const secret = early.clientTraffic(handshake.transcript.digest())
  handshake.keylog('CLIENT_EARLY_TRAFFIC_SECRET', secret)
  handshake.keys(EncryptionLevel.earlyData, 'read', suite.id, secret)
}

function awaitSignature(handshake: Handshake, suite: CipherSuiteInfo, schedule: HandshakeSchedule, scheme: SignatureScheme): WaitingState {
  return {
    waiting: true,
    name: 'waiting for a signature',
    level: EncryptionLevel.handshake,
    onAnswer(answer: TlsAnswer): HandshakeState | null {
      return answer.need === 'sign' ? proveAndFinish(handshake, suite, schedule, scheme, answer.signature) : null
    },
  }
}

function proveAndFinish(
  handshake: Handshake,
  suite: CipherSuiteInfo,
  schedule: HandshakeSchedule,
  scheme: SignatureScheme,
  signature: Uint8Array,
): HandshakeState {
  handshake.send(EncryptionLevel.handshake, encodeCertificateVerify(scheme, signature))
  return finishFlight(handshake, suite, schedule)
}

function finishFlight(handshake: Handshake, suite: CipherSuiteInfo, schedule: HandshakeSchedule): HandshakeState {
  handshake.send(EncryptionLevel.handshake, encodeFinished(schedule.finished(schedule.serverSecret, handshake.transcript.digest())))
  const application = schedule.application(handshake.transcript.digest())
  handshake.enterApplication(application)
  handshake.keys(EncryptionLevel.application, 'write', suite.id, application.serverSecret)
  return expectClientFinished(handshake, suite, schedule, application)
}
