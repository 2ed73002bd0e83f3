// What a client keeps of a connection to resume it: RFC 9846 §4.7.1, RFC 9001 §4.5, §4.6.

import type { CipherSuiteId } from '../../crypto/provider.ts'

/** One ticket and what belongs to it. Plain data: a store may write it to a file, which is then worth a private key. */
export interface StoredSession {
  readonly ticket: Uint8Array
  readonly psk: Uint8Array
  readonly cipherSuite: CipherSuiteId
  readonly alpn: string
  /** The SNI of the connection; null: none was sent. */
  readonly serverName: string | null
  /** Unix milliseconds at the client. */
  readonly receivedAt: number
  readonly lifetimeSeconds: number
  readonly ageAdd: number
  /** The server takes 0-RTT packets with this ticket. */
  readonly earlyData: boolean
  /** The server's encoded transport parameters, which hold for 0-RTT packets (RFC 9000 §7.4.1). */
  readonly peerParameters: Uint8Array
  /** The owner's bytes at the time of the ticket, see TlsEngine.setEarlyDataContext(). */
  readonly earlyDataContext: Uint8Array
  /** DER, leaf first; of the full handshake at the beginning. */
  readonly peerCertificates: readonly Uint8Array[]
  /** The chain was verified then. One that was not is never resumed by a client that verifies. */
  readonly verified: boolean
}

/**
 * One store per client configuration: a session counts as verified for everybody who takes it. Origins are strings of the
 * owner's, 'host:port' say.
 */
export interface SessionStore {
  /** Removes the best session of an origin: a ticket used twice lets others link the connections (RFC 9846 Appendix C.4). */
  take(origin: string): StoredSession | null
  put(origin: string, session: StoredSession): void
}

export interface SessionLimits {
  /** Default 1000; the one unused for longest goes first. */
  readonly origins?: number | undefined
  /** Default 4; the oldest goes first. */
  readonly sessionsPerOrigin?: number | undefined
}

export class MemorySessionStore implements SessionStore {
  readonly #origins: number
  readonly #perOrigin: number
  /** In order of last use; sessions newest last. */
  readonly #sessions: Map<string, StoredSession[]>

  constructor(limits: SessionLimits = {}) {
    this.#origins = limits.origins ?? 1000
    this.#perOrigin = limits.sessionsPerOrigin ?? 4
    this.#sessions = new Map()
  }

  take(origin: string): StoredSession | null {
    const list = this.#sessions.get(origin)
    if (list === undefined) return null
    const session = list.pop() ?? null
    this.#sessions.delete(origin)
    if (list.length > 0) this.#sessions.set(origin, list)
    return session
  }

  put(origin: string, session: StoredSession): void {
    const list = this.#sessions.get(origin) ?? []
    this.#sessions.delete(origin)
    list.push(session)
    if (list.length > this.#perOrigin) list.splice(0, list.length - this.#perOrigin)
    this.#sessions.set(origin, list)
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= this.#origins) return
      this.#sessions.delete(oldest)
    }
  }

  clear(): void {
    this.#sessions.clear()
  }

  /** Sessions held, over all origins. */
  get size(): number {
    let count = 0
    for (const list of this.#sessions.values()) count += list.length
    return count
  }
}
