// Waiting for the ClientHello: the first state of a server. RFC 9846 §4.2.2.

import { cipherSuite } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { decodeClientHello } from '../codec/client-hello.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { Handshake } from '../handshake.ts'
import type { HandshakeState } from '../state.ts'
import { sendFlight } from './flight.ts'
import { askForShare } from './hello-retry.ts'
import { chooseContext } from './context.ts'
import { chooseCipherSuite, chooseGroup } from './negotiate.ts'
import { takeHello } from './resume.ts'

export function startServer(handshake: Handshake): HandshakeState {
  return {
    waiting: false,
    name: 'waiting for ClientHello',
    level: EncryptionLevel.initial,
    onMessage(message: HandshakeMessage): HandshakeState | null {
      if (message.type !== HandshakeType.clientHello) return null
      const hello = decodeClientHello(message.body)
      // RFC 9846 §4.3.2: no cookie before one was given.
      if (hello.cookie !== null) throw alert(Alert.illegalParameter, 'a cookie in the first ClientHello')
      const suite = cipherSuite(chooseCipherSuite(handshake.cipherSuites, hello))
      const { group, share } = chooseGroup(handshake.groups, hello)
      return chooseContext(handshake, hello, () => {
        const resumption = takeHello(handshake, suite, hello, message)
        if (share === null) return askForShare(handshake, suite, group, hello)
        return sendFlight(handshake, suite, { group, share }, hello, resumption)
      })
    },
  }
}
