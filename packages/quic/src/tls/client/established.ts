// A client after the handshake. The only message it takes is NewSessionTicket, for the store of sessions if there is one.
// RFC 9846 §4.7; RFC 9001 §4.4 (CertificateRequest), §6 (KeyUpdate).

import { invariant } from '../../base/assert.ts'
import { copyBytes } from '../../base/bytes.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { protocolViolation } from '../alerts.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import { decodeNewSessionTicket } from '../codec/new-session-ticket.ts'
import type { NewSessionTicket } from '../codec/new-session-ticket.ts'
import type { Handshake } from '../handshake.ts'
import { MAX_LIFETIME_SECONDS } from '../resumption/server-tickets.ts'
import type { ReadingState } from '../state.ts'
import { sessionOrigin } from './offer-session.ts'

/** Tickets stored of one connection; further ones are read and forgotten. */
const MAX_STORED = 16

/** `resumptionSecret`: null when nothing is to be stored. */
export function establishedClient(handshake: Handshake, resumptionSecret: Uint8Array | null): ReadingState {
  let stored = 0
  const state: ReadingState = {
    waiting: false,
    name: 'the handshake is complete',
    level: EncryptionLevel.application,
    onMessage(message: HandshakeMessage): ReadingState | null {
      if (message.type === HandshakeType.certificateRequest) throw protocolViolation('a CertificateRequest after the handshake')
      if (message.type !== HandshakeType.newSessionTicket) return null
      const ticket = decodeNewSessionTicket(message.body)
      // RFC 9846 §4.7.1: a lifetime of zero is for the bin.
      if (resumptionSecret !== null && ticket.lifetime > 0 && stored++ < MAX_STORED) store(handshake, resumptionSecret, ticket)
      return state
    },
  }
  return state
}

function store(handshake: Handshake, resumptionSecret: Uint8Array, ticket: NewSessionTicket): void {
  const { config, schedule, cipherSuite, alpn } = handshake
  const origin = sessionOrigin(handshake, handshake.issuesVersion)
  invariant(schedule !== null && cipherSuite !== 0 && alpn !== null, 'the handshake is complete')
  if (origin === null) return
  config.sessions?.put(origin, {
    ticket: copyBytes(ticket.ticket),
    psk: schedule.ticketKey(resumptionSecret, ticket.nonce),
    cipherSuite,
    alpn,
    serverName: handshake.serverName,
    receivedAt: handshake.now,
    lifetimeSeconds: Math.min(ticket.lifetime, MAX_LIFETIME_SECONDS),
    ageAdd: ticket.ageAdd,
    earlyData: ticket.earlyData,
    peerParameters: copyBytes(handshake.peerParameters),
    earlyDataContext: handshake.earlyDataContext,
    peerCertificates: handshake.peerCertificates,
    verified: handshake.verified,
  })
}
