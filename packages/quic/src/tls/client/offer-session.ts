// Which session a client offers to resume, and the ClientHello that does: RFC 9846 §4.3.11, §4.7.1.

import { cipherSuite } from '../../crypto/provider.ts'
import { EncryptionLevel, VERSION_1 } from '../../wire/constants.ts'
import { matchesName } from '../certificates/names.ts'
import { parseCertificate } from '../certificates/parse.ts'
import type { ParsedCertificate } from '../certificates/parse.ts'
import { isPinned } from '../certificates/pinned.ts'
import { encodeClientHello } from '../codec/client-hello.ts'
import type { ClientOffer } from '../codec/client-hello.ts'
import { CertificateError } from '../errors.ts'
import { bindersLengthOf } from '../extensions/pre-shared-key.ts'
import type { PskOffer } from '../extensions/pre-shared-key.ts'
import type { Handshake } from '../handshake.ts'
import { MAX_LIFETIME_SECONDS } from '../resumption/server-tickets.ts'
import type { StoredSession } from '../resumption/session-store.ts'
import { EarlySchedule } from '../schedule/key-schedule.ts'
import type { OfferedSession } from './sent-hello.ts'

/** Sessions that do not fit are gone; a store full of them is not emptied for one connection. */
const MAX_TAKEN = 8

export function chooseSession(handshake: Handshake): OfferedSession | null {
  const { config, provider } = handshake
  const origin = sessionOrigin(handshake, handshake.resumesVersion)
  if (config.sessions === undefined || origin === null) return null
  for (let i = 0; i < MAX_TAKEN; i++) {
    const session = config.sessions.take(origin)
    if (session === null) return null
    if (!fits(handshake, session)) continue
    const suite = cipherSuite(session.cipherSuite)
    return { session, suite, schedule: handshake.hold(new EarlySchedule(provider, suite, session.psk)) }
  }
  return null
}

/** The key in the store of sessions, for those of a QUIC version (RFC 9369 §5); null: nothing is stored. */
export function sessionOrigin({ config }: Handshake, version: number): string | null {
  const origin = config.sessions === undefined ? null : (config.sessionOrigin ?? config.serverName ?? null)
  return origin === null || version === VERSION_1 ? origin : `${origin} 0x${version.toString(16)}`
}

function fits(handshake: Handshake, session: StoredSession): boolean {
  const age = handshake.now - session.receivedAt
  if (age < 0 || age >= Math.min(session.lifetimeSeconds, MAX_LIFETIME_SECONDS) * 1000) return false
  const { hash } = cipherSuite(session.cipherSuite)
  return (
    session.serverName === handshake.serverName &&
    handshake.cipherSuites.some((id) => cipherSuite(id).hash === hash) &&
    isStillTrusted(handshake, session)
  )
}

// RFC 9846 §4.7.1: the name has to be valid for the certificate of then; and that one not expired, though it is not shown again.
function isStillTrusted({ config, provider, now }: Handshake, session: StoredSession): boolean {
  const { verify, serverName } = config
  if (verify === undefined || verify.mode === 'insecure') return true
  const der = session.peerCertificates[0]
  if (!session.verified || der === undefined) return false
  const leaf = parsed(der)
  if (leaf === null) return false
  const unixTimeMs = verify.unixTimeMs ?? now
  if (unixTimeMs < leaf.notBefore || unixTimeMs > leaf.notAfter) return false
  if (verify.mode === 'pinned') return isPinned(provider, verify.hashes, leaf)
  return serverName !== undefined && matchesName(leaf, serverName)
}

/** Null: a store gave back something else than it was given. */
function parsed(der: Uint8Array): ParsedCertificate | null {
  try {
    return parseCertificate(der, 'the certificate of a stored session')
  } catch (error) {
    if (error instanceof CertificateError) return null
    throw error
  }
}

/** Early data: asked for, allowed by the ticket, and its protocol and suite are on offer. */
export function allowsEarlyData(handshake: Handshake, { session }: OfferedSession): boolean {
  const { config, cipherSuites } = handshake
  return config.earlyData === true && session.earlyData && config.alpn.includes(session.alpn) && cipherSuites.includes(session.cipherSuite)
}

export function pskOffer(handshake: Handshake, { session, suite }: OfferedSession): PskOffer {
  const age = Math.round(handshake.now - session.receivedAt)
  return { identity: session.ticket, obfuscatedAge: (age + session.ageAdd) % 2 ** 32, binderLength: suite.hashLength }
}

/** Encodes, signs with the binder where a session is offered, enters into the transcript and sends. */
export function sendHello(handshake: Handshake, offer: ClientOffer, offered: OfferedSession | null): void {
  const bytes = encodeClientHello(offer)
  if (offer.psk === null || offered === null) {
    handshake.send(EncryptionLevel.initial, bytes)
    return
  }
  const { transcript } = handshake
  const end = bytes.length - bindersLengthOf(offer.psk)
  transcript.add(bytes.subarray(0, end))
  bytes.set(offered.schedule.binder(transcript.digestWith(offered.suite.hash)), bytes.length - offer.psk.binderLength)
  transcript.add(bytes.subarray(end))
  handshake.events.push({ kind: 'crypto', level: EncryptionLevel.initial, bytes })
}
