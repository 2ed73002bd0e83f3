// What a server's policy is asked, and may answer, about a client nobody knows (RFC 9000 §5.2.2, §8.1.2). Asked for every
// Initial packet that belongs to no connection, before there is any connection state.

import { copyBytes } from '../base/bytes.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import type { PathAddress } from '../path/path-address.ts'
import type { HeaderView } from '../wire/header.ts'
import { peekClientHello } from './client-hello-peek.ts'
import type { PeekedHello } from './client-hello-peek.ts'

/**
 * `accept`: begin the handshake; `retry`: only a client whose address is validated may go on, others are sent a Retry;
 * `refuse`: answer CONNECTION_REFUSED; `ignore`: answer nothing. None but `accept` keeps state.
 */
export type IncomingVerdict = 'accept' | 'retry' | 'refuse' | 'ignore'

/** Decides over one incoming connection. Called inside Endpoint.receive(): it must be quick, and must not throw. */
export type IncomingPolicy = (incoming: IncomingAttempt) => IncomingVerdict

/** A client's first Initial, or another of a first flight that was not accepted yet. Valid during the call of the policy only. */
export interface IncomingAttempt {
  /** `ip:port`. */
  readonly remote: string
  /** A token proves that the client receives at this address. Otherwise `remote` may be forged. */
  readonly validated: boolean
  /**
   * SNI in lower case. Null: none, or not known, because that part of the ClientHello comes in a later datagram. Reading this or `alpn`
   * costs the decryption of the datagram, and what it says is the client's word alone.
   */
  readonly serverName: string | null
  /** The client's application protocols in its order; null as for `serverName`. */
  readonly alpn: readonly string[] | null
  readonly destinationConnectionId: Uint8Array
  /** Bytes of UDP payload. */
  readonly datagramSize: number
  /** Connections of this endpoint whose handshake has begun and is not complete. */
  readonly handshakes: number
  /** All connections of this endpoint. */
  readonly connections: number
}

export const acceptAll: IncomingPolicy = () => 'accept'

/** Accepts everybody while fewer than `handshakes` handshakes are in progress, and from there on only those who validate their address. */
export function retryAbove(handshakes: number): IncomingPolicy {
  return (incoming) => (incoming.handshakes < handshakes ? 'accept' : 'retry')
}

/** The attempt as the policy sees it; the ClientHello is looked into when it asks, once. */
export class Incoming implements IncomingAttempt {
  readonly remote: string
  readonly validated: boolean
  readonly destinationConnectionId: Uint8Array
  readonly datagramSize: number
  readonly handshakes: number
  readonly connections: number
  private readonly provider: CryptoProvider
  private readonly header: HeaderView
  private readonly datagram: Uint8Array
  private hello: PeekedHello | null | undefined

  constructor(
    provider: CryptoProvider,
    header: HeaderView,
    datagram: Uint8Array,
    path: PathAddress,
    validated: boolean,
    load: { readonly handshakes: number; readonly connections: number },
  ) {
    this.remote = path.remote
    this.validated = validated
    this.destinationConnectionId = copyBytes(header.destination())
    this.datagramSize = datagram.length
    this.handshakes = load.handshakes
    this.connections = load.connections
    this.provider = provider
    this.header = header
    this.datagram = datagram
    this.hello = undefined
  }

  get serverName(): string | null {
    return this.peek()?.serverName ?? null
  }

  get alpn(): readonly string[] | null {
    return this.peek()?.alpn ?? null
  }

  private peek(): PeekedHello | null {
    if (this.hello === undefined) this.hello = peekClientHello(this.provider, this.header, this.datagram)
    return this.hello
  }
}
