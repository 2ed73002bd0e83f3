// Sessions of this process's clients (RFC 9001 §4.5): one store for all of them unless told otherwise.

import { createHash } from 'node:crypto'
import { MemorySessionStore, type SessionStore, type StoredSession } from '@quicwire/quic'
import { certificatesFrom } from '../tls/certificate-input.ts'
import { certificateHash, type ClientTlsOptions } from '../tls/tls-options.ts'

/** What connect() uses by default. A process that wants to leave no trace between connections clears it, or passes null. */
export const processSessions: MemorySessionStore = new MemorySessionStore()

/**
 * The name a session is kept under. A resumed server is not asked for its certificate again, nor is the client: who trusts something else,
 * or shows another certificate, must not find the session.
 */
export function sessionOrigin(serverName: string, port: number, tls: ClientTlsOptions): string {
  const { insecure, ca, roots, extraCa, serverCertificateHashes, certificates, verifyPeer } = tls
  let origin = `${serverName}:${port}`
  if (insecure === true) origin += ' insecure'
  else if (serverCertificateHashes !== undefined) origin += ` pinned ${digest(serverCertificateHashes.map(certificateHash))}`
  else {
    if (ca !== undefined) origin += ` ca ${digest(certificatesFrom(ca))}`
    else if (roots === 'system') origin += ' roots of the system'
    if (extraCa !== undefined) origin += ` and ca ${digest(certificatesFrom(extraCa))}`
  }
  if (certificates !== undefined) origin += ` as ${digest(certificates.flatMap(({ cert }) => certificatesFrom(cert)))}`
  // Verdicts cannot be told apart; whoever gives a store of their own along with one knows whose sessions are in it.
  return verifyPeer === undefined ? origin : `${origin} judged`
}

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(createHash('sha256').update(part).digest())
  return hash.digest('hex')
}

/**
 * The store as one connection uses it. A store that fails costs the session only. A session is put there at the end of the turn it came
 * in: what the application wants to keep with it often comes right behind it, such as SETTINGS behind the ticket in one packet.
 */
export class ConnectionSessions implements SessionStore {
  private readonly store: SessionStore
  private context: Uint8Array | null

  constructor(store: SessionStore) {
    this.store = store
    this.context = null
  }

  setContext(bytes: Uint8Array): void {
    this.context = bytes
  }

  take(origin: string): StoredSession | null {
    try {
      return this.store.take(origin)
    } catch (error) {
      warn(error)
      return null
    }
  }

  put(origin: string, session: StoredSession): void {
    queueMicrotask(() => {
      try {
        this.store.put(origin, this.context === null ? session : { ...session, earlyDataContext: this.context })
      } catch (error) {
        warn(error)
      }
    })
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'QuicwireSessionStore')
}
