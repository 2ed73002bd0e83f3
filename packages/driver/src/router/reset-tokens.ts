// Stateless reset tokens of one listener: HMAC of the connection ID under a key made at start (RFC 9000 §10.3.2).

import type { CryptoProvider } from '@quicwire/quic'

const KEY_LENGTH = 32
const TOKEN_LENGTH = 16

/** `key`: at least 32 bytes, shared by listeners that stand in for each other. Default: random, for this listener alone. */
export function resetTokenDerivation(provider: CryptoProvider, key?: Uint8Array): (connectionId: Uint8Array) => Uint8Array {
  const secret = key ?? new Uint8Array(KEY_LENGTH)
  if (key === undefined) provider.random.fill(secret)
  return (connectionId) => provider.hmac('sha256', secret, connectionId).slice(0, TOKEN_LENGTH)
}
