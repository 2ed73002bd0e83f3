// Address validation tokens of this process's clients (RFC 9000 §8.1.3): one store for all of them unless told otherwise.

import { MemoryTokenStore, type TokenStore } from '@quicwire/quic'

/** What connect() uses by default. A process that wants to leave no trace between connections clears it, or passes null. */
export const processTokens: MemoryTokenStore = new MemoryTokenStore()

/**
 * The store as one connection uses it: under name and port, for another port is another server, and with a store that fails costing the
 * token only.
 */
export function tokensOf(store: TokenStore, port: number): TokenStore {
  return {
    take: (serverName) => {
      try {
        return store.take(`${serverName}:${port}`)
      } catch (error) {
        warn(error)
        return null
      }
    },
    put: (serverName, token) => {
      try {
        store.put(`${serverName}:${port}`, token)
      } catch (error) {
        warn(error)
      }
    },
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'QuicwireTokenStore')
}
