// HelloRetryRequest: the client sent no share of a common group. RFC 9846 §4.2.4. The server keeps the connection and so its
// state, with or without a cookie; address validation is the business of QUIC's Retry (RFC 9001 §4.7).

import type { CipherSuiteInfo, NamedGroup } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { decodeClientHello } from '../codec/client-hello.ts'
import type { ClientHello } from '../codec/client-hello.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import { encodeHelloRetryRequest } from '../codec/server-hello.ts'
import type { Handshake } from '../handshake.ts'
import type { HandshakeState } from '../state.ts'
import { checkCookie, sealCookie } from './cookie.ts'
import { sendFlight } from './flight.ts'
import { chooseCipherSuite } from './negotiate.ts'
import { takeHello } from './resume.ts'

export function askForShare(handshake: Handshake, suite: CipherSuiteInfo, group: NamedGroup, first: ClientHello): HandshakeState {
  handshake.helloRetry = true
  // RFC 9001 §4.6.2: a HelloRetryRequest rejects early data.
  if (first.earlyData) handshake.decideEarlyData(false)
  const firstHash = handshake.transcript.digest()
  handshake.transcript.substituteMessageHash()
  const cookie = sealCookie(handshake, firstHash, suite.id, group)
  handshake.send(EncryptionLevel.initial, encodeHelloRetryRequest(suite.id, group, cookie))
  return {
    waiting: false,
    name: 'waiting for the second ClientHello',
    level: EncryptionLevel.initial,
    onMessage(message: HandshakeMessage): HandshakeState | null {
      if (message.type !== HandshakeType.clientHello) return null
      const hello = decodeClientHello(message.body)
      checkCookie(handshake, hello.cookie, firstHash, suite.id, group)
      if (hello.earlyData) throw alert(Alert.illegalParameter, 'early_data in the second ClientHello')
      if (chooseCipherSuite(handshake.cipherSuites, hello) !== suite.id) {
        throw alert(Alert.illegalParameter, 'the second ClientHello changes the cipher suites')
      }
      if (hello.serverName !== first.serverName) throw alert(Alert.illegalParameter, 'the second ClientHello changes the server name')
      const share = hello.shares[0]
      if (share === undefined || hello.shares.length !== 1 || share.group !== group || !hello.groups.includes(group)) {
        throw alert(Alert.illegalParameter, 'the second ClientHello has not the one key share that was asked for')
      }
      const resumption = takeHello(handshake, suite, hello, message)
      return sendFlight(handshake, suite, { group, share }, hello, resumption)
    },
  }
}
