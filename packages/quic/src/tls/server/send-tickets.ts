// NewSessionTicket messages, right after the handshake. RFC 9846 §4.7.1.

import { invariant } from '../../base/assert.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { encodeNewSessionTicket } from '../codec/new-session-ticket.ts'
import type { Handshake } from '../handshake.ts'
import type { ApplicationSchedule } from '../schedule/key-schedule.ts'
import { clientAuthentication } from './client-certificate.ts'

/** The transcript ends with the client's Finished. */
export function sendTickets(handshake: Handshake, application: ApplicationSchedule): void {
  const { config, cipherSuite, alpn, serverName, authenticatedAt, earlyDataContext, issuesVersion, now } = handshake
  const { tickets } = config
  if (tickets === undefined || tickets.count === 0 || !handshake.ticketsWanted || clientAuthentication(handshake) !== null) return
  invariant(cipherSuite !== 0 && alpn !== null, 'the handshake is complete')
  const secret = application.resumption(handshake.transcript.digest())
  const { earlyData, lifetimeSeconds } = tickets
  for (let index = 0; index < tickets.count; index++) {
    const nonce = Uint8Array.of(index)
    const ageAdd = new DataView(handshake.random(4).buffer).getUint32(0)
    const psk = application.ticketKey(secret, nonce)
    const content = { cipherSuite, psk, ageAdd, authenticatedAt, alpn, serverName, earlyData, context: earlyDataContext }
    const ticket = tickets.seal(content, issuesVersion, now)
    const bytes = encodeNewSessionTicket({ lifetime: lifetimeSeconds, ageAdd, nonce, ticket, earlyData })
    // Post-handshake messages are not part of the transcript.
    handshake.events.push({ kind: 'crypto', level: EncryptionLevel.application, bytes })
    psk.fill(0)
  }
  secret.fill(0)
}
