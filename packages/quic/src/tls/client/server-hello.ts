// Waiting for ServerHello, or a HelloRetryRequest in its place. RFC 9846 §4.2.3.

import { cipherSuite, isCipherSuite } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { askedExtensions } from '../codec/client-hello.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import { decodeServerHello } from '../codec/server-hello.ts'
import type { Handshake } from '../handshake.ts'
import type { ReadingState } from '../state.ts'
import { acceptServerHello } from './handshake-keys.ts'
import { retryHello } from './hello-retry.ts'
import type { SentHello } from './sent-hello.ts'

export function expectServerHello(handshake: Handshake, sent: SentHello): ReadingState {
  return {
    waiting: false,
    name: 'waiting for ServerHello',
    level: EncryptionLevel.initial,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type !== HandshakeType.serverHello) return null
      const hello = decodeServerHello(message.body, askedExtensions(sent.offer))
      const id = hello.cipherSuite
      if (!isCipherSuite(id) || !sent.offer.cipherSuites.includes(id)) {
        throw alert(Alert.illegalParameter, `cipher suite ${id} was not offered`)
      }
      if (hello.retry) return retryHello(handshake, sent, cipherSuite(id), hello, message)
      return acceptServerHello(handshake, sent, cipherSuite(id), hello, message)
    },
  }
}
