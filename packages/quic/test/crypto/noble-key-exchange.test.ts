// An ephemeral key of the portable provider is overwritten when it is destroyed: it then has another secret, or none.

import { expect, it } from 'vitest'
import { nobleProvider } from '../../src/crypto/noble/index.ts'

function secretAfter(group: (typeof nobleProvider.groups)[number]): { good: Uint8Array; after: Uint8Array | null } {
  const alice = nobleProvider.keyExchange(group)
  const { share, sharedSecret: good } = nobleProvider.answerKeyExchange(group, alice.publicKey)!
  expect(alice.sharedSecret(share)).toEqual(good)
  alice.destroy()
  try {
    return { good, after: alice.sharedSecret(share) }
  } catch {
    // Zeros are no private key of ML-KEM.
    return { good, after: null }
  }
}

it.each(nobleProvider.groups)('group %i', (group) => {
  const { good, after } = secretAfter(group)
  expect(after).not.toEqual(good)
})
