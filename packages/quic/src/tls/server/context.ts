// What a ClientHello is answered with: the configuration's certificates and protocols, or those the owner finds for this hello.

import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import type { ClientHello } from '../codec/client-hello.ts'
import type { ServerContext, TlsConfig } from '../config.ts'
import type { TlsAnswer } from '../events.ts'
import type { Handshake } from '../handshake.ts'
import type { HandshakeState } from '../state.ts'

/** The context is settled before `then`: kept in handshake.context. */
export function chooseContext(handshake: Handshake, hello: ClientHello, then: () => HandshakeState): HandshakeState {
  const settle = (context: ServerContext | null): HandshakeState => {
    if (context === null) throw alert(Alert.unrecognizedName, `nothing is served as ${hello.serverName ?? 'a server without name'}`)
    handshake.context = context
    return then()
  }
  if (handshake.config.asksContext !== true) return settle(configured(handshake.config, hello))
  const { serverName, alpn, cipherSuites, signatureSchemes } = hello
  handshake.events.push({ kind: 'need', need: 'context', hello: { serverName, alpn: alpn ?? [], cipherSuites, signatureSchemes } })
  return {
    waiting: true,
    name: 'waiting for the context of the server name',
    level: EncryptionLevel.initial,
    onAnswer: (answer: TlsAnswer) => (answer.need === 'context' ? settle(answer.context) : null),
  }
}

function configured({ certificates, selectCertificate }: TlsConfig, hello: ClientHello): ServerContext | null {
  if (selectCertificate === undefined) return { certificates: certificates ?? [] }
  const certificate = selectCertificate(hello.serverName)
  return certificate === null ? null : { certificates: [certificate] }
}
