// Stateless reset tokens (RFC 9000 §10.3.2). How a token follows from a connection ID is injected, since keyed hashing lives in
// crypto/: an endpoint that may lose its state derives them from a static key, so that the token can be made again without the connection.

import type { RandomSource } from '../base/random.ts'
import { RESET_TOKEN_LENGTH } from '../wire/constants.ts'

/** Returns the 16-byte stateless reset token of a connection ID. */
export type ResetTokenDerivation = (connectionId: Uint8Array) => Uint8Array

/** Tokens nobody can make again: for endpoints that never send stateless resets. */
export function randomResetTokens(random: RandomSource): ResetTokenDerivation {
  return () => {
    const token = new Uint8Array(RESET_TOKEN_LENGTH)
    random.fill(token)
    return token
  }
}
