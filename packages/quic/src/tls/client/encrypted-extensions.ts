// Waiting for EncryptedExtensions: the protocol, the server's transport parameters, and its word on early data.
// RFC 9846 §4.4.1, §4.3.10; RFC 9001 §4.6.2, §8.1, §8.2.

import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { askedExtensions } from '../codec/client-hello.ts'
import { decodeEncryptedExtensions } from '../codec/encrypted-extensions.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { HandshakeSchedule } from '../schedule/key-schedule.ts'
import type { Handshake } from '../handshake.ts'
import type { ReadingState } from '../state.ts'
import { expectCertificateOrRequest } from './certificate.ts'
import { expectServerFinished } from './finished.ts'
import type { SentHello } from './sent-hello.ts'

export function expectEncryptedExtensions(handshake: Handshake, sent: SentHello, schedule: HandshakeSchedule): ReadingState {
  return {
    waiting: false,
    name: 'waiting for EncryptedExtensions',
    level: EncryptionLevel.handshake,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type !== HandshakeType.encryptedExtensions) return null
      const asked = askedExtensions(sent.offer)
      const { alpn, transportParameters, earlyData } = decodeEncryptedExtensions(message.body, asked)
      if (alpn === null) throw alert(Alert.noApplicationProtocol, 'the server chose no application protocol')
      if (!handshake.config.alpn.includes(alpn)) throw alert(Alert.noApplicationProtocol, 'the server chose a protocol that was not offered')
      if (earlyData) checkEarlyData(handshake, sent, alpn)
      handshake.alpn = alpn
      handshake.peerParameters = transportParameters
      if (sent.offer.earlyData) handshake.decideEarlyData(earlyData)
      handshake.events.push({ kind: 'peer-parameters', bytes: transportParameters })
      handshake.transcript.add(message.bytes)
      // RFC 9846 §2.2: who resumes has been authenticated already.
      if (handshake.resumed) return expectServerFinished(handshake, schedule, null)
      return expectCertificateOrRequest(handshake, asked, schedule)
    },
  }
}

/** Early data stands on what the session negotiated; nothing of it may have changed. */
function checkEarlyData(handshake: Handshake, { offered }: SentHello, alpn: string): void {
  if (!handshake.resumed) throw alert(Alert.illegalParameter, 'the server takes early data but not the session')
  if (alpn !== offered?.session.alpn) throw alert(Alert.illegalParameter, 'the server takes early data for another protocol')
  if (handshake.cipherSuite !== offered.session.cipherSuite) {
    throw alert(Alert.illegalParameter, 'the server takes early data of another cipher suite')
  }
}
