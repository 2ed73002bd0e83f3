// Retry packets of a server (RFC 9000 §8.1.2, §17.2.5): everything about the attempt goes into the token, nothing stays here.

import { concatBytes } from '../base/bytes.ts'
import type { ConnectionIdGenerator } from '../cid/generator.ts'
import type { RandomSource } from '../base/random.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { retryIntegrityTag } from '../crypto/retry-integrity.ts'
import type { HeaderView } from '../wire/header.ts'
import { encodeRetry } from '../wire/retry.ts'
import type { AddressTokens } from './tokens.ts'

/** RFC 9000 §7.2 asks this much of a client's first destination connection ID; one that a Retry chose deserves no less. */
const LEAST_RETRY_SOURCE = 8

/** The answer to the client's Initial `header`, which came from `remote`. */
export function makeRetry(
  provider: CryptoProvider,
  tokens: AddressTokens,
  header: HeaderView,
  source: Uint8Array,
  remote: string,
  time: number,
): Uint8Array {
  const original = header.destination()
  const token = tokens.sealRetry(remote, header.version, original, source, time)
  const packet = encodeRetry(header.version, header.source(), source, token)
  return concatBytes(packet, retryIntegrityTag(provider, header.version, original, packet))
}

/** A connection ID of the server's own making, so that what routes by connection ID routes the client's next packet here. */
export function retrySource(generator: ConnectionIdGenerator, random: RandomSource): Uint8Array {
  if (generator.length >= LEAST_RETRY_SOURCE) return generator.generate()
  const source = new Uint8Array(LEAST_RETRY_SOURCE)
  random.fill(source)
  return source
}
