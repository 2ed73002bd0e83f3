// The provider a test run uses where any will do: QUICWIRE_CRYPTO=node (the default) or noble.

import type { CryptoProvider } from '../../src/crypto/provider.ts'
import { nobleProvider } from '../../src/crypto/noble/index.ts'
import { nodeProvider } from '../../src/crypto/node/index.ts'

function chosen(name: string): CryptoProvider {
  if (name === 'node') return nodeProvider
  if (name === 'noble') return nobleProvider
  throw new Error(`QUICWIRE_CRYPTO is node or noble, not '${name}'`)
}

export const providerUnderTest: CryptoProvider = chosen(process.env['QUICWIRE_CRYPTO'] ?? 'node')

/** Both, for the suites that hold one against the other. */
export const providers: readonly CryptoProvider[] = [nodeProvider, nobleProvider]
