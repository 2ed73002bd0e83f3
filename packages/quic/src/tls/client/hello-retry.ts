// A HelloRetryRequest: the second ClientHello, and waiting for the ServerHello after it. RFC 9846 §4.2.4, §4.3.8.
// The transcript restarts from a message_hash (§4.1.1). This state does not know another HelloRetryRequest.

import type { CipherSuiteInfo } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { askedExtensions, encodeClientHello } from '../codec/client-hello.ts'
import type { ClientOffer } from '../codec/client-hello.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import { decodeServerHello } from '../codec/server-hello.ts'
import type { HelloRetryRequest } from '../codec/server-hello.ts'
import type { Session } from '../session.ts'
import type { ReadingState } from '../state.ts'
import { acceptServerHello } from './handshake-keys.ts'
import type { SentHello } from './sent-hello.ts'

export function retryHello(
  session: Session,
  sent: SentHello,
  suite: CipherSuiteInfo,
  request: HelloRetryRequest,
  message: HandshakeMessage,
): ReadingState {
  const { selectedGroup, cookie } = request
  if (selectedGroup === null && cookie === null) throw alert(Alert.illegalParameter, 'HelloRetryRequest changes nothing')
  let exchange = sent.exchange
  if (selectedGroup !== null) {
    const group = session.groups.find((offered) => offered === selectedGroup)
    if (group === undefined) throw alert(Alert.illegalParameter, `HelloRetryRequest selects group ${selectedGroup}, which was not offered`)
    if (group === exchange.group) throw alert(Alert.illegalParameter, 'HelloRetryRequest selects a group that had a key share')
    exchange = session.provider.keyExchange(group)
  }
  session.helloRetry = true
  session.transcript.start(suite.hash)
  session.transcript.substituteMessageHash()
  session.transcript.add(message.bytes)
  const offer: ClientOffer = { ...sent.offer, shares: [{ group: exchange.group, key: exchange.publicKey }], cookie }
  session.send(EncryptionLevel.initial, encodeClientHello(offer))
  return expectServerHelloAfterRetry(session, { offer, exchange }, suite)
}

function expectServerHelloAfterRetry(session: Session, sent: SentHello, suite: CipherSuiteInfo): ReadingState {
  return {
    waiting: false,
    name: 'waiting for ServerHello after a HelloRetryRequest',
    level: EncryptionLevel.initial,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type !== HandshakeType.serverHello) return null
      const hello = decodeServerHello(message.body, askedExtensions(sent.offer))
      if (hello.retry) throw alert(Alert.unexpectedMessage, 'a second HelloRetryRequest')
      if (hello.cipherSuite !== suite.id) throw alert(Alert.illegalParameter, 'ServerHello and HelloRetryRequest differ in cipher suite')
      return acceptServerHello(session, sent, suite, hello, message)
    },
  }
}
