// The first step of a client: ClientHello with its key shares, the session to resume, and the key for early data.
// RFC 9846 §4.2.2, §4.3.8, §4.3.10.

import { NamedGroup } from '../../crypto/provider.ts'
import type { NamedGroup as Group } from '../../crypto/provider.ts'
import { invariant } from '../../base/assert.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { offeredCompression } from '../authentication/peer-certificate.ts'
import { sniName } from '../certificates/names.ts'
import type { ClientOffer } from '../codec/client-hello.ts'
import { GREASE_RANDOM_LENGTH, greaseFrom } from '../extensions/grease.ts'
import type { Grease } from '../extensions/grease.ts'
import type { KeyShareEntry } from '../extensions/key-share.ts'
import type { Handshake } from '../handshake.ts'
import { CERTIFICATE_SCHEMES, HANDSHAKE_SCHEMES } from '../signature-schemes.ts'
import type { ReadingState } from '../state.ts'
import { allowsEarlyData, chooseSession, pskOffer, sendHello, sessionOrigin } from './offer-session.ts'
import type { OfferedSession, SentHello } from './sent-hello.ts'
import { expectServerHello } from './server-hello.ts'

export function startClient(handshake: Handshake): ReadingState {
  const { config, transportParameters } = handshake
  invariant(transportParameters !== null, 'a client has transport parameters')
  handshake.clientRandom = handshake.random(32)
  handshake.serverName = config.serverName === undefined ? null : sniName(config.serverName)
  const grease = config.grease === false ? null : greaseFrom(handshake.random(GREASE_RANDOM_LENGTH))
  const exchanges = groupsToShare(handshake).map((group) => handshake.hold(handshake.provider.keyExchange(group)))
  const shares = exchanges.map(({ group, publicKey }): KeyShareEntry => ({ group, key: publicKey }))
  const offered = chooseSession(handshake)
  const offer: ClientOffer = {
    random: handshake.clientRandom,
    cipherSuites: handshake.cipherSuites,
    groups: handshake.groups,
    signatureSchemes: HANDSHAKE_SCHEMES,
    certificateSchemes: CERTIFICATE_SCHEMES,
    shares: [...greaseShare(grease), ...shares],
    alpn: config.alpn,
    serverName: handshake.serverName,
    transportParameters,
    cookie: null,
    statusRequest: config.statusRequest === true,
    certificateTimestamps: config.certificateTimestamps === true,
    compression: offeredCompression(handshake).map(({ algorithm }) => algorithm),
    pskModes: sessionOrigin(handshake, handshake.resumesVersion) !== null,
    psk: offered === null ? null : pskOffer(handshake, offered),
    earlyData: offered !== null && allowsEarlyData(handshake, offered),
    grease,
  }
  sendHello(handshake, offer, offered)
  if (offer.earlyData && offered !== null) startEarlyData(handshake, offered)
  const sent: SentHello = { offer, exchanges, offered }
  return expectServerHello(handshake, sent)
}

const HYBRIDS: readonly Group[] = [NamedGroup.x25519MlKem768, NamedGroup.secp256r1MlKem768]

// A server that does not know a hybrid yet should not cost a round trip.
function groupsToShare({ config, groups }: Handshake): readonly Group[] {
  return config.keyShares ?? groups.slice(0, HYBRIDS.includes(groups[0]!) ? 2 : 1)
}

// RFC 8701 §3.1: one byte will do.
function greaseShare(grease: Grease | null): KeyShareEntry[] {
  return grease === null ? [] : [{ group: grease.group, key: Uint8Array.of(0) }]
}

function startEarlyData(handshake: Handshake, { session, suite, schedule }: OfferedSession): void {
  const secret = schedule.clientTraffic(handshake.transcript.digestWith(suite.hash))
  handshake.keylog('CLIENT_EARLY_TRAFFIC_SECRET', secret)
  handshake.earlySession = session
  handshake.keys(EncryptionLevel.earlyData, 'write', suite.id, secret)
  secret.fill(0)
}
