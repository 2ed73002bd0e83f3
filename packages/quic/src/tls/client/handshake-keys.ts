// From a ServerHello to the handshake keys. RFC 9846 §4.2.3, §4.3.8, §4.3.11, §7.1.

import type { CipherSuiteInfo } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { ServerHello } from '../codec/server-hello.ts'
import { EarlySchedule } from '../schedule/key-schedule.ts'
import type { Handshake } from '../handshake.ts'
import type { ReadingState } from '../state.ts'
import { expectEncryptedExtensions } from './encrypted-extensions.ts'
import type { SentHello } from './sent-hello.ts'

export function acceptServerHello(
  handshake: Handshake,
  sent: SentHello,
  suite: CipherSuiteInfo,
  hello: ServerHello,
  message: HandshakeMessage,
): ReadingState {
  const { share } = hello
  const exchange = sent.exchanges.find(({ group }) => group === share.group)
  if (exchange === undefined) throw alert(Alert.illegalParameter, `no key share was sent for group ${share.group}`)
  const early = earlySchedule(handshake, sent, suite, hello.selectedIdentity)
  const sharedSecret = exchange.sharedSecret(share.key)
  if (sharedSecret === null) throw alert(Alert.illegalParameter, 'the key share of the server is not a legal key')
  handshake.cipherSuite = suite.id
  handshake.group = exchange.group
  handshake.transcript.start(suite.hash)
  handshake.transcript.add(message.bytes)
  const schedule = handshake.hold(early.handshake(sharedSecret, handshake.transcript.digest()))
  sharedSecret.fill(0)
  for (const used of sent.exchanges) used.destroy()
  handshake.keylog('CLIENT_HANDSHAKE_TRAFFIC_SECRET', schedule.clientSecret)
  handshake.keylog('SERVER_HANDSHAKE_TRAFFIC_SECRET', schedule.serverSecret)
  handshake.keys(EncryptionLevel.handshake, 'read', suite.id, schedule.serverSecret)
  handshake.keys(EncryptionLevel.handshake, 'write', suite.id, schedule.clientSecret)
  return expectEncryptedExtensions(handshake, sent, schedule)
}

/** With the session the server took, or without any. */
function earlySchedule(handshake: Handshake, sent: SentHello, suite: CipherSuiteInfo, selected: number | null): EarlySchedule {
  const { offered } = sent
  if (selected === null || offered === null) return new EarlySchedule(handshake.provider, suite, null)
  if (selected !== 0) throw alert(Alert.illegalParameter, `the server takes pre-shared key ${selected} of one`)
  if (suite.hash !== offered.suite.hash) throw alert(Alert.illegalParameter, 'the cipher suite does not fit the pre-shared key')
  const { session } = offered
  handshake.resumed = true
  handshake.peerCertificates = session.peerCertificates
  handshake.verified = session.verified
  return suite.id === session.cipherSuite ? offered.schedule : new EarlySchedule(handshake.provider, suite, session.psk)
}
