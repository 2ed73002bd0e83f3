// A client after the handshake. The only message it takes is NewSessionTicket; resumption would start here, with the
// ticket and ApplicationSchedule.resumption(). RFC 9846 §4.7; RFC 9001 §4.4 (CertificateRequest), §6 (KeyUpdate).

import { EncryptionLevel } from '../../wire/constants.ts'
import { protocolViolation } from '../alerts.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import { decodeNewSessionTicket } from '../codec/new-session-ticket.ts'
import type { ReadingState } from '../state.ts'

export function establishedClient(): ReadingState {
  const state: ReadingState = {
    waiting: false,
    name: 'the handshake is complete',
    level: EncryptionLevel.application,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type === HandshakeType.certificateRequest) throw protocolViolation('a CertificateRequest after the handshake')
      if (message.type !== HandshakeType.newSessionTicket) return null
      decodeNewSessionTicket(message.body)
      return state
    },
  }
  return state
}
