// Waiting for the server's Finished, answering with ours. RFC 9846 §4.5.3. A certificate request gets a certificate and its proof
// before, or an empty Certificate.

import { equalConstantTime } from '../../base/bytes.ts'
import { invariant } from '../../base/assert.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { sendCertificate } from '../authentication/own-certificate.ts'
import { encodeCertificate } from '../codec/certificate.ts'
import type { CertificateRequest } from '../codec/certificate-request.ts'
import { encodeFinished } from '../codec/finished.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { ApplicationSchedule, HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Handshake } from '../handshake.ts'
import type { HandshakeState, ReadingState } from '../state.ts'
import { establishedClient } from './established.ts'
import { sessionOrigin } from './offer-session.ts'
import { chooseClientCertificate } from './own-certificate.ts'

/** `request`: what the server asked of us, or null. */
export function expectServerFinished(
  handshake: Handshake,
  schedule: HandshakeSchedule,
  request: CertificateRequest | null,
): ReadingState {
  return {
    waiting: false,
    name: 'waiting for Finished',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): HandshakeState | null {
      if (message.type !== HandshakeType.finished) return null
      const expected = schedule.finished(schedule.serverSecret, handshake.transcript.digest())
      if (message.body.length !== expected.length) throw alert(Alert.decodeError, 'Finished has the wrong length')
      if (!equalConstantTime(message.body, expected)) throw alert(Alert.decryptError, 'the Finished of the server is wrong')
      handshake.transcript.add(message.bytes)
      const application = handshake.hold(schedule.application(handshake.transcript.digest()))
      const finish = (): ReadingState => finishHandshake(handshake, schedule, application)
      if (request === null) return finish()
      const choice = chooseClientCertificate(handshake, request)
      if (choice !== null) return sendCertificate(handshake, choice, finish)
      const none = encodeCertificate({ chain: [], ocspResponse: null, signedCertificateTimestamps: null })
      handshake.send(EncryptionLevel.handshake, none)
      return finish()
    },
  }
}

function finishHandshake(handshake: Handshake, schedule: HandshakeSchedule, application: ApplicationSchedule): ReadingState {
  const suite = handshake.cipherSuite
  invariant(suite !== 0, 'the cipher suite is chosen')
  handshake.send(EncryptionLevel.handshake, encodeFinished(schedule.finished(schedule.clientSecret, handshake.transcript.digest())))
  handshake.enterApplication(application)
  handshake.keys(EncryptionLevel.application, 'write', suite, application.clientSecret)
  handshake.keys(EncryptionLevel.application, 'read', suite, application.serverSecret)
  handshake.finish()
  const wanted = sessionOrigin(handshake, handshake.issuesVersion) !== null
  const resumptionSecret = wanted ? handshake.holdBytes(application.resumption(handshake.transcript.digest())) : null
  schedule.destroy()
  application.retainExporter()
  return establishedClient(handshake, resumptionSecret)
}
