// Sessions of this process's clients (RFC 9001 §4.5): one store for all of them unless told otherwise.

import { createHash } from 'node:crypto'
import { MemorySessionStore, type SessionStore } from '@quicwire/quic'
import { certificatesFrom, type ClientTlsOptions } from '../tls/tls-options.ts'

/** What connect() uses by default. A process that wants to leave no trace between connections clears it, or passes null. */
export const processSessions: MemorySessionStore = new MemorySessionStore()

/**
 * The name a session is kept under. A resumed server is not asked for its certificate again: clients with other roots, which might not
 * trust it, must not find the session.
 */
export function sessionOrigin(serverName: string, port: number, tls: ClientTlsOptions): string {
  if (tls.insecure === true) return `${serverName}:${port} insecure`
  if (tls.ca === undefined) return `${serverName}:${port}`
  const hash = createHash('sha256')
  for (const certificate of certificatesFrom(tls.ca)) hash.update(createHash('sha256').update(certificate).digest())
  return `${serverName}:${port} ca ${hash.digest('hex')}`
}

/** The store as a connection uses it: one that fails costs the session only. */
export function sessionsOf(store: SessionStore): SessionStore {
  return {
    take: (origin) => {
      try {
        return store.take(origin)
      } catch (error) {
        warn(error)
        return null
      }
    },
    put: (origin, session) => {
      try {
        store.put(origin, session)
      } catch (error) {
        warn(error)
      }
    },
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'QuicwireSessionStore')
}
