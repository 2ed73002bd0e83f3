// A session the client wants to resume: which ticket is taken, its binder, and whether early data comes with it.
// RFC 9846 §4.3.10, §4.3.11, §8; RFC 9001 §4.6.

import { equalConstantTime } from '../../base/bytes.ts'
import { cipherSuite } from '../../crypto/provider.ts'
import type { CipherSuiteInfo } from '../../crypto/provider.ts'
import { Alert, alert } from '../alerts.ts'
import type { ClientHello } from '../codec/client-hello.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import { PSK_DHE_KE } from '../extensions/pre-shared-key.ts'
import type { OfferedPsks } from '../extensions/pre-shared-key.ts'
import type { Handshake } from '../handshake.ts'
import type { OpenedTicket } from '../resumption/server-tickets.ts'
import { EarlySchedule } from '../schedule/key-schedule.ts'
import { clientAuthentication } from './client-certificate.ts'

/** Identities looked at: each may cost the opening of a seal per key. */
const MAX_IDENTITIES = 4

/** A ticket of ours whose binder is good. */
export interface Resumption {
  readonly index: number
  readonly ticket: OpenedTicket
  /** Milliseconds since the client got the ticket, as it says. */
  readonly age: number
  readonly binder: Uint8Array
  readonly schedule: EarlySchedule
}

/** Enters a ClientHello into the transcript; the session it resumes, or null for a full handshake. */
export function takeHello(handshake: Handshake, suite: CipherSuiteInfo, hello: ClientHello, message: HandshakeMessage): Resumption | null {
  const { transcript } = handshake
  transcript.start(suite.hash)
  const { psks } = hello
  const found = psks === null ? null : find(handshake, suite, hello, psks)
  if (psks === null || found === null) {
    transcript.add(message.bytes)
    return null
  }
  const end = message.bytes.length - psks.bindersLength
  transcript.add(message.bytes.subarray(0, end))
  if (!equalConstantTime(found.schedule.binder(transcript.digest()), found.binder)) {
    throw alert(Alert.decryptError, 'the binder of the pre-shared key is wrong')
  }
  transcript.add(message.bytes.subarray(end))
  return found
}

function find(handshake: Handshake, suite: CipherSuiteInfo, hello: ClientHello, psks: OfferedPsks): Resumption | null {
  const { tickets } = handshake.config
  // A ticket says nothing of the client's certificate, so who has to show one shows it every time.
  if (clientAuthentication(handshake) !== null) return null
  if (tickets === undefined || !hello.pskModes.includes(PSK_DHE_KE)) return null
  for (let index = 0; index < psks.identities.length && index < MAX_IDENTITIES; index++) {
    const { identity, obfuscatedAge } = psks.identities[index]!
    const ticket = tickets.open(identity, handshake.resumesVersion, handshake.now)
    if (ticket === null) continue
    const { content } = ticket
    if (content.serverName !== hello.serverName || cipherSuite(content.cipherSuite).hash !== suite.hash) {
      content.psk.fill(0)
      continue
    }
    const age = (obfuscatedAge - content.ageAdd + 2 ** 32) % 2 ** 32
    const schedule = handshake.hold(new EarlySchedule(handshake.provider, suite, content.psk))
    content.psk.fill(0)
    return { index, ticket, age, binder: psks.binders[index]!, schedule }
  }
  return null
}

/** May the 0-RTT packets behind this ClientHello be read? The register is asked last: it remembers. */
export function admitsEarlyData(handshake: Handshake, suite: CipherSuiteInfo, resumption: Resumption | null): boolean {
  const { tickets, acceptEarlyData } = handshake.config
  if (resumption === null || resumption.index !== 0 || handshake.helloRetry) return false
  const { ticket, age, binder } = resumption
  const { content } = ticket
  if (tickets === undefined || !tickets.earlyData || !content.earlyData) return false
  if (content.cipherSuite !== suite.id || content.alpn !== handshake.alpn) return false
  if (acceptEarlyData === undefined || !acceptEarlyData(content.context)) return false
  return tickets.admitEarlyData(ticket, age, binder, handshake.now)
}
