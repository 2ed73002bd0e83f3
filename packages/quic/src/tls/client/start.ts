// The first step of a client: ClientHello with one key share. RFC 9846 §4.2.2.

import { NamedGroup } from '../../crypto/provider.ts'
import { invariant } from '../../base/assert.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { sniName } from '../certificates/names.ts'
import { encodeClientHello } from '../codec/client-hello.ts'
import type { ClientOffer } from '../codec/client-hello.ts'
import type { Session } from '../session.ts'
import { CERTIFICATE_SCHEMES, HANDSHAKE_SCHEMES } from '../signature-schemes.ts'
import type { ReadingState } from '../state.ts'
import { expectServerHello } from './server-hello.ts'

export function startClient(session: Session): ReadingState {
  const { config, transportParameters } = session
  invariant(transportParameters !== null, 'a client has transport parameters')
  session.clientRandom = session.random(32)
  session.serverName = config.serverName === undefined ? null : sniName(config.serverName)
  const exchange = session.provider.keyExchange(session.groups[0] ?? NamedGroup.x25519)
  const offer: ClientOffer = {
    random: session.clientRandom,
    cipherSuites: session.cipherSuites,
    groups: session.groups,
    signatureSchemes: HANDSHAKE_SCHEMES,
    certificateSchemes: CERTIFICATE_SCHEMES,
    shares: [{ group: exchange.group, key: exchange.publicKey }],
    alpn: config.alpn,
    serverName: session.serverName,
    transportParameters,
    cookie: null,
  }
  session.send(EncryptionLevel.initial, encodeClientHello(offer))
  return expectServerHello(session, { offer, exchange })
}
