// Where a client keeps the address validation tokens servers gave it (RFC 9000 §8.1.3): each is for one further connection to that
// server and saves it the round trip of a Retry, and the amplification limit.

import { EMPTY, copyBytes } from '../../base/bytes.ts'
import { VERSION_1 } from '../../wire/constants.ts'

/** A longer token would crowd the ClientHello out of a 1200-byte datagram: such tokens are neither kept nor sent. In bytes. */
export const MAX_ADDRESS_TOKEN = 512

/**
 * Called by connections; must not throw. The bytes handed over belong to the receiver. A server's tokens of another QUIC version than 1
 * are kept apart, under its name with a space and the version.
 */
export interface TokenStore {
  /** A token of this server, which is used up with that; null when there is none. */
  take(serverName: string): Uint8Array | null
  put(serverName: string, token: Uint8Array): void
}

const DEFAULT_SERVERS = 256
const DEFAULT_TOKENS_PER_SERVER = 4

/** Keeps the newest tokens of the servers used last, in memory: 512 KiB at most by default. */
export class MemoryTokenStore implements TokenStore {
  private readonly maxServers: number
  private readonly maxTokens: number
  /** In order of use, oldest first; each list in order of arrival. */
  private readonly tokens: Map<string, Uint8Array[]>

  /** Default: 256 servers with 4 tokens each. */
  constructor(maxServers: number = DEFAULT_SERVERS, maxTokens: number = DEFAULT_TOKENS_PER_SERVER) {
    this.maxServers = maxServers
    this.maxTokens = maxTokens
    this.tokens = new Map()
  }

  /** Servers with tokens. */
  get size(): number {
    return this.tokens.size
  }

  /** RFC 9000 §8.1.3: "sending the most recent unused token is most likely to be effective". */
  take(serverName: string): Uint8Array | null {
    const list = this.tokens.get(serverName)
    if (list === undefined) return null
    const token = list.pop() ?? null
    if (list.length === 0) this.tokens.delete(serverName)
    return token
  }

  put(serverName: string, token: Uint8Array): void {
    if (token.length === 0 || token.length > MAX_ADDRESS_TOKEN) return
    const list = this.tokens.get(serverName) ?? []
    this.tokens.delete(serverName)
    list.push(copyBytes(token))
    if (list.length > this.maxTokens) list.splice(0, list.length - this.maxTokens)
    this.tokens.set(serverName, list)
    if (this.tokens.size <= this.maxServers) return
    for (const oldest of this.tokens.keys()) {
      this.tokens.delete(oldest)
      break
    }
  }

  clear(): void {
    this.tokens.clear()
  }
}

/** The store as one client connection sees it: its own server only. Without a store or a server name it holds nothing. */
export class ServerTokens {
  private readonly store: TokenStore | null
  private readonly serverName: string

  constructor(store: TokenStore | null, serverName: string | undefined) {
    this.store = serverName === undefined ? null : store
    this.serverName = serverName ?? ''
  }

  /** The token for the first Initial packets, empty when there is none. */
  take(version: number): Uint8Array {
    const token = this.store === null ? null : this.store.take(nameOf(this.serverName, version))
    return token === null || token.length > MAX_ADDRESS_TOKEN ? EMPTY : token
  }

  /** `version`: the negotiated one. */
  put(token: Uint8Array, version: number): void {
    if (token.length <= MAX_ADDRESS_TOKEN) this.store?.put(nameOf(this.serverName, version), copyBytes(token))
  }
}

/** RFC 9369 §5: a token is for connections of the version that provided it. */
function nameOf(serverName: string, version: number): string {
  return version === VERSION_1 ? serverName : `${serverName} 0x${version.toString(16)}`
}
