// Address validation tokens (RFC 9000 §8.1): Retry tokens are bound to address, port and the Retry's connection ID and carry the
// original one; NEW_TOKEN tokens are bound to the IP address alone. Both expire, and are for one QUIC version (RFC 9369 §5).
//
// A token begins with four clear bytes that tell its kind (§8.1.1), so that bytes which are no token of ours cost nothing, and an
// invalid Retry token is known from an old NEW_TOKEN token even when its key is gone. The kind is authenticated too.

import { EMPTY, concatBytes, copyBytes, equalBytes, utf8 } from '../base/bytes.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { TokenSeal } from '../crypto/token-seal.ts'
import { hostOf } from '../path/path-address.ts'
import type { HeaderView } from '../wire/header.ts'
import { UsedTokens } from './used-tokens.ts'

const RETRY_MARK = Uint8Array.of(0x71, 0x77, 0x52, 0x74)
const NEW_TOKEN_MARK = Uint8Array.of(0x71, 0x77, 0x4e, 0x74)
const MARK_LENGTH = 4

const RETRY_PURPOSE = 1
const NEW_TOKEN_PURPOSE = 2

/** Machines that share keys agree on the time to within this many milliseconds. */
const CLOCK_SKEW = 5000

/** RFC 9000 §8.1.4: "tokens sent in Retry packets are only accepted for a short time". */
export const DEFAULT_RETRY_TOKEN_LIFETIME = 15_000

export const DEFAULT_NEW_TOKEN_LIFETIME: number = 24 * 3600 * 1000

/** Bytes of one token key. */
export const TOKEN_KEY_LENGTH = 32

/** More keys than any rotation needs: every token that does not open costs one try per key. */
const MAX_TOKEN_KEYS = 8

/**
 * What a token says about the address it came from. `nothing`: no token, or none that counts (RFC 9000 §8.1.3); `invalid-retry`: a
 * Retry token that is expired, damaged or not for this address.
 */
export type TokenEvidence =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'retry'; readonly originalDestinationConnectionId: Uint8Array }
  | { readonly kind: 'new-token'; readonly token: Uint8Array; readonly issuedAt: number }
  | { readonly kind: 'invalid-retry' }

const NOTHING: TokenEvidence = { kind: 'nothing' }
const INVALID_RETRY: TokenEvidence = { kind: 'invalid-retry' }

/** Milliseconds. */
export interface TokenLifetimes {
  readonly retry: number
  readonly newToken: number
}

export class AddressTokens {
  private readonly provider: CryptoProvider
  private readonly lifetimes: TokenLifetimes
  private readonly used: UsedTokens
  private seal: TokenSeal

  /** Throws RangeError for keys that are none. */
  constructor(provider: CryptoProvider, keys: readonly Uint8Array[], lifetimes: TokenLifetimes) {
    this.provider = provider
    this.lifetimes = lifetimes
    this.used = new UsedTokens(lifetimes.newToken)
    this.seal = new TokenSeal(provider, checkTokenKeys(keys))
  }

  /** From now on the first of these seals and all of them open. */
  setKeys(keys: readonly Uint8Array[]): void {
    this.seal = new TokenSeal(this.provider, checkTokenKeys(keys))
  }

  /** `retrySource`: Source Connection ID of the Retry packet. `time` here and below: milliseconds, on the clock the keys' holders share. */
  sealRetry(remote: string, version: number, original: Uint8Array, retrySource: Uint8Array, time: number): Uint8Array {
    return concatBytes(RETRY_MARK, this.seal.seal(RETRY_PURPOSE, retryContext(remote, version, retrySource), original, time))
  }

  sealNewToken(remote: string, version: number, time: number): Uint8Array {
    return concatBytes(NEW_TOKEN_MARK, this.seal.seal(NEW_TOKEN_PURPOSE, newTokenContext(remote, version), EMPTY, time))
  }

  /** Judges the token of the Initial packet `header`, which came from `remote`. */
  judge(header: HeaderView, remote: string, time: number): TokenEvidence {
    const token = header.token()
    if (token.length < MARK_LENGTH) return NOTHING
    const mark = token.subarray(0, MARK_LENGTH)
    const sealed = token.subarray(MARK_LENGTH)
    if (equalBytes(mark, RETRY_MARK)) {
      const opened = this.seal.open(RETRY_PURPOSE, retryContext(remote, header.version, header.destination()), sealed)
      if (opened === null || !isCurrent(opened.issuedAt, time, this.lifetimes.retry)) return INVALID_RETRY
      return { kind: 'retry', originalDestinationConnectionId: opened.content }
    }
    if (!equalBytes(mark, NEW_TOKEN_MARK)) return NOTHING
    const opened = this.seal.open(NEW_TOKEN_PURPOSE, newTokenContext(remote, header.version), sealed)
    if (opened === null || !isCurrent(opened.issuedAt, time, this.lifetimes.newToken)) return NOTHING
    if (this.used.has(sealed, opened.issuedAt)) return NOTHING
    return { kind: 'new-token', token: copyBytes(sealed), issuedAt: opened.issuedAt }
  }

  /** The connection that brought the token was accepted: RFC 9000 §8.1.4, NEW_TOKEN tokens "SHOULD NOT be accepted multiple times". */
  spend(evidence: TokenEvidence): void {
    if (evidence.kind === 'new-token') this.used.add(evidence.token, evidence.issuedAt)
  }
}

/** RFC 9000 §8.1.4: source address and port remain constant; so do the version and the connection ID the Retry chose. */
function retryContext(remote: string, version: number, retrySource: Uint8Array): Uint8Array {
  return concatBytes(versionBytes(version), Uint8Array.of(retrySource.length), retrySource, utf8(remote))
}

/** RFC 9000 §8.1.4: "the client IP address has not changed"; its port may have. */
function newTokenContext(remote: string, version: number): Uint8Array {
  return concatBytes(versionBytes(version), utf8(hostOf(remote)))
}

function versionBytes(version: number): Uint8Array {
  return Uint8Array.of(version >>> 24, version >>> 16, version >>> 8, version)
}

function isCurrent(issuedAt: number, time: number, lifetime: number): boolean {
  const age = time - issuedAt
  return age >= -CLOCK_SKEW && age < lifetime
}

/** Gives the keys back; throws RangeError when they cannot be token keys. */
export function checkTokenKeys(keys: readonly Uint8Array[]): readonly Uint8Array[] {
  const count = keys.length
  if (count === 0 || count > MAX_TOKEN_KEYS) throw new RangeError(`between 1 and ${MAX_TOKEN_KEYS} token keys are needed, not ${count}`)
  for (const key of keys) {
    if (key.length !== TOKEN_KEY_LENGTH) throw new RangeError(`a token key has ${TOKEN_KEY_LENGTH} bytes, not ${key.length}`)
  }
  return keys
}
