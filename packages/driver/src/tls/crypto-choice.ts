// Which crypto provider: an object, or a name from the option or QUICWIRE_CRYPTO. The provider that is not chosen is not loaded.

import type { CryptoProvider } from '@quicwire/quic'
import { OptionError } from '../errors.ts'

export type CryptoChoice = 'node' | 'noble' | CryptoProvider

export async function cryptoProvider(choice: CryptoChoice | undefined): Promise<CryptoProvider> {
  const chosen = choice ?? (process.env['QUICWIRE_CRYPTO'] || 'node')
  if (typeof chosen !== 'string') return chosen
  if (chosen === 'node') return (await import('@quicwire/quic/crypto-node')).nodeProvider
  if (chosen === 'noble') return (await import('@quicwire/quic/crypto-noble')).nobleProvider
  throw new OptionError(`unknown crypto provider "${chosen}": use "node" or "noble"`)
}
