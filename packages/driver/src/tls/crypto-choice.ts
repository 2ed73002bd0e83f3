// Which crypto provider: an object, or a name from the option or QUICWIRE_CRYPTO. The provider that is not chosen is not loaded.

import type { CryptoProvider } from '@quicwire/quic'
import { OptionError } from '../errors.ts'

export type CryptoChoice = 'node' | 'noble' | CryptoProvider

// An import() of a module that is there already still goes through the loader: 5 % of a client's time in connect(), under tsx.
let node: Promise<CryptoProvider> | null = null
let noble: Promise<CryptoProvider> | null = null

export async function cryptoProvider(choice: CryptoChoice | undefined): Promise<CryptoProvider> {
  const chosen = choice ?? (process.env['QUICWIRE_CRYPTO'] || 'node')
  if (typeof chosen !== 'string') return chosen
  if (chosen === 'node') return (node ??= import('@quicwire/quic/crypto-node').then((module) => module.nodeProvider))
  if (chosen === 'noble') return (noble ??= import('@quicwire/quic/crypto-noble').then((module) => module.nobleProvider))
  throw new OptionError(`unknown crypto provider "${chosen}": use "node" or "noble"`)
}
