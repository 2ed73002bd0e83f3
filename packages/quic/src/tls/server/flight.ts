// The server's flight: ServerHello, EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify, Finished.
// RFC 9846 §2, Figure 1. Resumed, it has no certificate and asks for none (§2.2, §4.4.2).

import { invariant } from '../../base/assert.ts'
import type { CipherSuiteInfo, NamedGroup } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { sendCertificate } from '../authentication/own-certificate.ts'
import type { ClientHello } from '../codec/client-hello.ts'
import { encodeEncryptedExtensions } from '../codec/encrypted-extensions.ts'
import { encodeFinished } from '../codec/finished.ts'
import { encodeServerHello } from '../codec/server-hello.ts'
import type { ClientAuthentication } from '../config.ts'
import { TlsUsageError } from '../errors.ts'
import type { KeyShareEntry } from '../extensions/key-share.ts'
import { PSK_DHE_KE } from '../extensions/pre-shared-key.ts'
import { EarlySchedule } from '../schedule/key-schedule.ts'
import type { HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Handshake } from '../handshake.ts'
import type { HandshakeState, ReadingState } from '../state.ts'
import { clientAuthentication, expectClientCertificate, sendCertificateRequest } from './client-certificate.ts'
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
  const { context, transportParameters } = handshake
  invariant(context !== null, 'the context was chosen')
  if (transportParameters === null) throw new TlsUsageError('setTransportParameters() comes before the first bytes of the client')
  handshake.clientRandom = hello.random
  handshake.cipherSuite = suite.id
  handshake.group = group
  handshake.serverName = hello.serverName
  const alpn = chooseProtocol(handshake, hello)
  handshake.alpn = alpn
  const choice = resumption === null ? chooseCertificate(context, hello) : null
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
  const schedule = handshake.hold(early.handshake(agreement.sharedSecret, handshake.transcript.digest()))
  agreement.sharedSecret.fill(0)
  handshake.keylog('CLIENT_HANDSHAKE_TRAFFIC_SECRET', schedule.clientSecret)
  handshake.keylog('SERVER_HANDSHAKE_TRAFFIC_SECRET', schedule.serverSecret)
  handshake.keys(EncryptionLevel.handshake, 'write', suite.id, schedule.serverSecret)
  handshake.keys(EncryptionLevel.handshake, 'read', suite.id, schedule.clientSecret)

  // RFC 6066 §3: a resumed session does not acknowledge the name.
  const acknowledgeName = resumption === null && hello.serverName !== null
  const extensions = encodeEncryptedExtensions(alpn, transportParameters, acknowledgeName, handshake.earlyData)
  handshake.send(EncryptionLevel.handshake, extensions)
  if (choice === null) return finishFlight(handshake, suite, schedule, null)
  handshake.signatureScheme = choice.scheme
  const authentication = clientAuthentication(handshake)
  if (authentication !== null) sendCertificateRequest(handshake, authentication)
  return sendCertificate(handshake, choice, () => finishFlight(handshake, suite, schedule, authentication))
}

function answerEarlyData(handshake: Handshake, suite: CipherSuiteInfo, early: EarlySchedule, resumption: Resumption | null): void {
  const accepted = admitsEarlyData(handshake, suite, resumption)
  handshake.decideEarlyData(accepted)
  if (!accepted) return
  const secret = early.clientTraffic(handshake.transcript.digest())
  handshake.keylog('CLIENT_EARLY_TRAFFIC_SECRET', secret)
  handshake.keys(EncryptionLevel.earlyData, 'read', suite.id, secret)
  secret.fill(0)
}

function finishFlight(
  handshake: Handshake,
  suite: CipherSuiteInfo,
  schedule: HandshakeSchedule,
  authentication: ClientAuthentication | null,
): HandshakeState {
  handshake.send(EncryptionLevel.handshake, encodeFinished(schedule.finished(schedule.serverSecret, handshake.transcript.digest())))
  const application = handshake.hold(schedule.application(handshake.transcript.digest()))
  handshake.enterApplication(application)
  handshake.keys(EncryptionLevel.application, 'write', suite.id, application.serverSecret)
  const finished = (): ReadingState => expectClientFinished(handshake, suite, schedule, application)
  return authentication === null ? finished() : expectClientCertificate(handshake, authentication, finished)
}
