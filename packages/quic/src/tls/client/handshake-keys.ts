// From a ServerHello to the handshake keys. RFC 9846 §4.2.3, §4.3.8, §7.1.

import type { CipherSuiteInfo } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { askedExtensions } from '../codec/client-hello.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { ServerHello } from '../codec/server-hello.ts'
import { EarlySchedule } from '../schedule/key-schedule.ts'
import type { Session } from '../session.ts'
import type { ReadingState } from '../state.ts'
import { expectEncryptedExtensions } from './encrypted-extensions.ts'
import type { SentHello } from './sent-hello.ts'

export function acceptServerHello(
  session: Session,
  sent: SentHello,
  suite: CipherSuiteInfo,
  hello: ServerHello,
  message: HandshakeMessage,
): ReadingState {
  const { exchange } = sent
  if (hello.share.group !== exchange.group) throw alert(Alert.illegalParameter, `no key share was sent for group ${hello.share.group}`)
  const sharedSecret = exchange.sharedSecret(hello.share.key)
  if (sharedSecret === null) throw alert(Alert.illegalParameter, 'the key share of the server is not a legal key')
  session.cipherSuite = suite.id
  session.group = exchange.group
  session.transcript.start(suite.hash)
  session.transcript.add(message.bytes)
  const schedule = new EarlySchedule(session.provider, suite).handshake(sharedSecret, session.transcript.digest())
  session.keylog('CLIENT_HANDSHAKE_TRAFFIC_SECRET', schedule.clientSecret)
  session.keylog('SERVER_HANDSHAKE_TRAFFIC_SECRET', schedule.serverSecret)
  session.keys(EncryptionLevel.handshake, 'read', suite.id, schedule.serverSecret)
  session.keys(EncryptionLevel.handshake, 'write', suite.id, schedule.clientSecret)
  return expectEncryptedExtensions(session, askedExtensions(sent.offer), schedule)
}
