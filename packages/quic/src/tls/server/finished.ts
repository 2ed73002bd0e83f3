// Waiting for the client's Finished. RFC 9846 §4.5.3. Only then 1-RTT packets may be read (RFC 9001 §5.7).
// Afterwards a server takes no handshake message at all: KeyUpdate is unexpected_message (RFC 9001 §6).
// Session tickets follow.

import { equalConstantTime } from '../../base/bytes.ts'
import type { CipherSuiteInfo } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { ApplicationSchedule, HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Handshake } from '../handshake.ts'
import type { ReadingState } from '../state.ts'
import { sendTickets } from './send-tickets.ts'

export function expectClientFinished(
  handshake: Handshake,
  suite: CipherSuiteInfo,
  schedule: HandshakeSchedule,
  application: ApplicationSchedule,
): ReadingState {
  return {
    waiting: false,
    name: 'waiting for Finished',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type !== HandshakeType.finished) return null
      const expected = schedule.finished(schedule.clientSecret, handshake.transcript.digest())
      if (message.body.length !== expected.length) throw alert(Alert.decodeError, 'Finished has the wrong length')
      if (!equalConstantTime(message.body, expected)) throw alert(Alert.decryptError, 'the Finished of the client is wrong')
      handshake.transcript.add(message.bytes)
      handshake.keys(EncryptionLevel.application, 'read', suite.id, application.clientSecret)
      handshake.finish()
      sendTickets(handshake, application)
      schedule.destroy()
      application.retainExporter()
      return establishedServer()
    },
  }
}

function establishedServer(): ReadingState {
  return {
    waiting: false,
    name: 'the handshake is complete',
    level: EncryptionLevel.application,
    onMessage: () => null,
  }
}
