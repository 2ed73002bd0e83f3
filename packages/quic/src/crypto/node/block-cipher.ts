// AES-128 on single blocks over node:crypto. ECB carries nothing from block to block, so one cipher object serves each direction.

import { createCipheriv, createDecipheriv, type Cipheriv, type Decipheriv } from 'node:crypto'
import { invariant } from '../../base/assert.ts'
import { BLOCK_LENGTH, type BlockCipher } from '../provider.ts'

class NodeBlockCipher implements BlockCipher {
  private readonly encryptor: Cipheriv
  private readonly decryptor: Decipheriv

  constructor(key: Uint8Array) {
    this.encryptor = createCipheriv('aes-128-ecb', key, null)
    this.encryptor.setAutoPadding(false)
    this.decryptor = createDecipheriv('aes-128-ecb', key, null)
    this.decryptor.setAutoPadding(false)
  }

  encrypt(block: Uint8Array): void {
    invariant(block.length === BLOCK_LENGTH, 'a block of AES has 16 bytes')
    block.set(this.encryptor.update(block))
  }

  decrypt(block: Uint8Array): void {
    invariant(block.length === BLOCK_LENGTH, 'a block of AES has 16 bytes')
    block.set(this.decryptor.update(block))
  }
}

export function nodeBlockCipher(key: Uint8Array): BlockCipher {
  invariant(key.length === 16, 'an AES-128 key has 16 bytes')
  return new NodeBlockCipher(key)
}
