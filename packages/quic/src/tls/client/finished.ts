// Waiting for the server's Finished, answering with ours. RFC 9846 §4.5.3. A certificate request gets an empty Certificate.

import { EMPTY, equalConstantTime } from '../../base/bytes.ts'
import { invariant } from '../../base/assert.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { encodeCertificate } from '../codec/certificate.ts'
import { encodeFinished } from '../codec/finished.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Handshake } from '../handshake.ts'
import type { ReadingState } from '../state.ts'
import { establishedClient } from './established.ts'
import { sessionOrigin } from './offer-session.ts'

export function expectServerFinished(handshake: Handshake, schedule: HandshakeSchedule, requested: boolean): ReadingState {
  return {
    waiting: false,
    name: 'waiting for Finished',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type !== HandshakeType.finished) return null
      const expected = schedule.finished(schedule.serverSecret, handshake.transcript.digest())
      if (message.body.length !== expected.length) throw alert(Alert.decodeError, 'Finished has the wrong length')
      if (!equalConstantTime(message.body, expected)) throw alert(Alert.decryptError, 'the Finished of the server is wrong')
      handshake.transcript.add(message.bytes)
      return finishHandshake(handshake, schedule, requested)
    },
  }
}

function finishHandshake(handshake: Handshake, schedule: HandshakeSchedule, requested: boolean): ReadingState {
  const suite = handshake.cipherSuite
  invariant(suite !== 0, 'the cipher suite is chosen')
  const application = schedule.application(handshake.transcript.digest())
  if (requested) handshake.send(EncryptionLevel.handshake, encodeCertificate(EMPTY, []))
  handshake.send(EncryptionLevel.handshake, encodeFinished(schedule.finished(schedule.clientSecret, handshake.transcript.digest())))
  handshake.enterApplication(application)
  handshake.keys(EncryptionLevel.application, 'write', suite, application.clientSecret)
  handshake.keys(EncryptionLevel.application, 'read', suite, application.serverSecret)
  handshake.finish()
  const wanted = sessionOrigin(handshake, handshake.issuesVersion) !== null
  return establishedClient(handshake, wanted ? application.resumption(handshake.transcript.digest()) : null)
}
