// AES-128 on single blocks over @noble/ciphers.

import { ecb } from '@noble/ciphers/aes.js'
import { invariant } from '../../base/assert.ts'
import { BLOCK_LENGTH, type BlockCipher } from '../provider.ts'

const OPTIONS = { disablePadding: true }

class NobleBlockCipher implements BlockCipher {
  private readonly key: Uint8Array

  constructor(key: Uint8Array) {
    this.key = key.slice()
  }

  // A copy goes in: the library reads 32-bit words and wants them aligned.
  encrypt(block: Uint8Array): void {
    invariant(block.length === BLOCK_LENGTH, 'a block of AES has 16 bytes')
    block.set(ecb(this.key, OPTIONS).encrypt(block.slice()))
  }

  decrypt(block: Uint8Array): void {
    invariant(block.length === BLOCK_LENGTH, 'a block of AES has 16 bytes')
    block.set(ecb(this.key, OPTIONS).decrypt(block.slice()))
  }
}

export function nobleBlockCipher(key: Uint8Array): BlockCipher {
  invariant(key.length === 16, 'an AES-128 key has 16 bytes')
  return new NobleBlockCipher(key)
}
