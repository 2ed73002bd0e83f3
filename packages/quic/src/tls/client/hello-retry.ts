// A HelloRetryRequest: the second ClientHello, and waiting for the ServerHello after it. RFC 9846 §4.2.4, §4.3.8.
// The transcript restarts from a message_hash (§4.1.1). This state does not know another HelloRetryRequest.

import type { CipherSuiteInfo } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { askedExtensions } from '../codec/client-hello.ts'
import type { ClientOffer } from '../codec/client-hello.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import { decodeServerHello } from '../codec/server-hello.ts'
import type { HelloRetryRequest } from '../codec/server-hello.ts'
import type { Handshake } from '../handshake.ts'
import type { ReadingState } from '../state.ts'
import { acceptServerHello } from './handshake-keys.ts'
import { pskOffer, sendHello } from './offer-session.ts'
import type { SentHello } from './sent-hello.ts'

export function retryHello(
  handshake: Handshake,
  sent: SentHello,
  suite: CipherSuiteInfo,
  request: HelloRetryRequest,
  message: HandshakeMessage,
): ReadingState {
  const { selectedGroup, cookie } = request
  if (selectedGroup === null && cookie === null) throw alert(Alert.illegalParameter, 'HelloRetryRequest changes nothing')
  let { exchanges } = sent
  let { shares } = sent.offer
  if (selectedGroup !== null) {
    const group = handshake.groups.find((offered) => offered === selectedGroup)
    if (group === undefined) throw alert(Alert.illegalParameter, `HelloRetryRequest selects group ${selectedGroup}, which was not offered`)
    if (exchanges.some((exchange) => exchange.group === group)) {
      throw alert(Alert.illegalParameter, 'HelloRetryRequest selects a group that had a key share')
    }
    const exchange = handshake.hold(handshake.provider.keyExchange(group))
    exchanges = [exchange]
    shares = [{ group, key: exchange.publicKey }]
  }
  handshake.helloRetry = true
  handshake.transcript.start(suite.hash)
  handshake.transcript.substituteMessageHash()
  handshake.transcript.add(message.bytes)
  // RFC 9846 §4.2.2: no early data any more, and the session again with its age and binder of now, if it fits the suite.
  if (sent.offer.earlyData) handshake.decideEarlyData(false)
  const offered = sent.offered?.suite.hash === suite.hash ? sent.offered : null
  const psk = offered === null ? null : pskOffer(handshake, offered)
  const offer: ClientOffer = { ...sent.offer, shares, cookie, psk, earlyData: false }
  sendHello(handshake, offer, offered)
  return expectServerHelloAfterRetry(handshake, { offer, exchanges, offered }, suite)
}

function expectServerHelloAfterRetry(handshake: Handshake, sent: SentHello, suite: CipherSuiteInfo): ReadingState {
  return {
    waiting: false,
    name: 'waiting for ServerHello after a HelloRetryRequest',
    level: EncryptionLevel.initial,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type !== HandshakeType.serverHello) return null
      const hello = decodeServerHello(message.body, askedExtensions(sent.offer))
      if (hello.retry) throw alert(Alert.unexpectedMessage, 'a second HelloRetryRequest')
      if (hello.cipherSuite !== suite.id) throw alert(Alert.illegalParameter, 'ServerHello and HelloRetryRequest differ in cipher suite')
      return acceptServerHello(handshake, sent, suite, hello, message)
    },
  }
}
