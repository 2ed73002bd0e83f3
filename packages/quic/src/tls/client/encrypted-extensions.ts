// Waiting for EncryptedExtensions: the protocol and the server's transport parameters. RFC 9846 §4.4.1; RFC 9001 §8.1, §8.2.

import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { decodeEncryptedExtensions } from '../codec/encrypted-extensions.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Session } from '../session.ts'
import type { ReadingState } from '../state.ts'
import { expectCertificateOrRequest } from './certificate.ts'

export function expectEncryptedExtensions(session: Session, asked: readonly number[], schedule: HandshakeSchedule): ReadingState {
  return {
    waiting: false,
    name: 'waiting for EncryptedExtensions',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type !== HandshakeType.encryptedExtensions) return null
      const { alpn, transportParameters } = decodeEncryptedExtensions(message.body, asked)
      if (alpn === null) throw alert(Alert.noApplicationProtocol, 'the server chose no application protocol')
      if (!session.config.alpn.includes(alpn)) throw alert(Alert.noApplicationProtocol, 'the server chose a protocol that was not offered')
      session.alpn = alpn
      session.events.push({ kind: 'peer-parameters', bytes: transportParameters })
      session.transcript.add(message.bytes)
      return expectCertificateOrRequest(session, asked, schedule)
    },
  }
}
