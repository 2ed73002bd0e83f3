// Who may begin a connection (RFC 9000 §8.1): judges the token, asks the policy, and gives the stateless answers. What it admits
// leaves as the facts a Connection begins with; of everybody else nothing remains but an answer in a bounded queue.

import { copyBytes } from '../base/bytes.ts'
import type { RandomSource } from '../base/random.ts'
import type { ConnectionConfig } from '../connection/config.ts'
import type { IncomingInitial } from '../connection/connection.ts'
import type { TokenIssuer } from '../connection/handshake/new-token.ts'
import type { PathAddress } from '../path/path-address.ts'
import { TransportErrorCode } from '../wire/constants.ts'
import type { HeaderView } from '../wire/header.ts'
import { Incoming, acceptAll } from './incoming.ts'
import type { IncomingPolicy } from './incoming.ts'
import { opensAsInitial } from './initial-check.ts'
import { encodeInitialClose } from './initial-close.ts'
import { makeRetry, retrySource } from './retry.ts'
import type { StatelessAnswers } from './stateless.ts'
import { AddressTokens, DEFAULT_NEW_TOKEN_LIFETIME, DEFAULT_RETRY_TOKEN_LIFETIME, TOKEN_KEY_LENGTH } from './tokens.ts'
import type { TokenEvidence } from './tokens.ts'

/** How a server treats clients it does not know. */
export interface AdmissionConfig {
  /** Default: everybody is accepted. */
  readonly policy?: IncomingPolicy | undefined
  /**
   * Keys of Retry and NEW_TOKEN tokens, 32 random bytes each: the first seals, all of them open. Machines that stand in for each other
   * share them; rotate by putting a new one in front. Default: one of this endpoint's own.
   */
  readonly tokenKeys?: readonly Uint8Array[] | undefined
  /** The time of tokens at `now`, in milliseconds. Machines that share keys need a clock they share, such as Unix time. Default: `now`. */
  readonly tokenTime?: ((now: number) => number) | undefined
  /** Milliseconds a client has to come back after a Retry. Default 15 000. */
  readonly retryTokenLifetime?: number | undefined
  /** Milliseconds a NEW_TOKEN token is good for; 0 issues none. Default 24 hours. */
  readonly newTokenLifetime?: number | undefined
}

/** An admitted attempt. */
export interface Admitted extends IncomingInitial {
  readonly evidence: TokenEvidence
}

interface Load {
  readonly handshakes: number
  readonly connections: number
}

export class Admission {
  private readonly policy: IncomingPolicy
  private readonly random: RandomSource
  private readonly answers: StatelessAnswers
  private readonly timeOf: (now: number) => number
  private readonly tokens: AddressTokens
  private readonly issueToken: TokenIssuer | null
  private readonly connection: Pick<ConnectionConfig, 'provider' | 'connectionIds'>

  /** Throws RangeError for bad token keys. */
  constructor(
    config: AdmissionConfig,
    connection: Pick<ConnectionConfig, 'provider' | 'connectionIds'>,
    random: RandomSource,
    answers: StatelessAnswers,
  ) {
    const { provider } = connection
    const newToken = config.newTokenLifetime ?? DEFAULT_NEW_TOKEN_LIFETIME
    this.policy = config.policy ?? acceptAll
    this.random = random
    this.answers = answers
    this.timeOf = config.tokenTime ?? ((now) => now)
    this.tokens = new AddressTokens(provider, config.tokenKeys ?? [randomKey(random)], {
      retry: config.retryTokenLifetime ?? DEFAULT_RETRY_TOKEN_LIFETIME,
      newToken,
    })
    this.issueToken = newToken > 0 ? (remote, version, now) => this.tokens.sealNewToken(remote, version, this.timeOf(now)) : null
    this.connection = connection
  }

  setTokenKeys(keys: readonly Uint8Array[]): void {
    this.tokens.setKeys(keys)
  }

  /** Judges the first Initial of a stranger. Null: it was answered or ignored. */
  admit(header: HeaderView, datagram: Uint8Array, path: PathAddress, load: Load, now: number): Admitted | null {
    const evidence = this.tokens.judge(header, path.remote, this.timeOf(now))
    const validated = evidence.kind === 'retry' || evidence.kind === 'new-token'
    const verdict = this.policy(new Incoming(this.connection.provider, header, datagram, path, validated, load))
    if (verdict === 'accept' || verdict === 'retry') {
      // RFC 9000 §8.1.2: a client that followed a Retry takes no second one: "the server SHOULD immediately close […] with an
      // INVALID_TOKEN error".
      if (evidence.kind === 'invalid-retry') this.close(header, TransportErrorCode.invalidToken, path)
      else if (verdict === 'accept' || validated) return this.admitted(header, evidence)
      else this.retry(header, path, now)
      return null
    }
    if (verdict === 'refuse') this.close(header, TransportErrorCode.connectionRefused, path)
    return null
  }

  /** The first packet is what it claims to be: nothing is built for forged or broken ones. */
  opens(header: HeaderView): boolean {
    return opensAsInitial(this.connection.provider, header)
  }

  /** The attempt became a connection. */
  onAccepted(admitted: Admitted): void {
    this.tokens.spend(admitted.evidence)
  }

  private admitted(header: HeaderView, evidence: TokenEvidence): Admitted {
    const destinationConnectionId = copyBytes(header.destination())
    const retried = evidence.kind === 'retry'
    return {
      version: header.version,
      destinationConnectionId,
      sourceConnectionId: copyBytes(header.source()),
      originalDestinationConnectionId: retried ? evidence.originalDestinationConnectionId : destinationConnectionId,
      retrySourceConnectionId: retried ? destinationConnectionId : null,
      addressValidated: retried || evidence.kind === 'new-token',
      issueToken: this.issueToken,
      evidence,
    }
  }

  // Nothing is computed for an answer that would be dropped: a flood costs no more than its parsing.

  private retry(header: HeaderView, path: PathAddress, now: number): void {
    if (!this.answers.hasRoom()) return
    const { provider, connectionIds } = this.connection
    const source = retrySource(connectionIds, this.random)
    this.answers.push(makeRetry(provider, this.tokens, header, source, path.remote, this.timeOf(now)), path)
  }

  private close(header: HeaderView, code: number, path: PathAddress): void {
    if (this.answers.hasRoom()) this.answers.push(encodeInitialClose(this.connection.provider, header, code), path)
  }
}

function randomKey(random: RandomSource): Uint8Array {
  const key = new Uint8Array(TOKEN_KEY_LENGTH)
  random.fill(key)
  return key
}
