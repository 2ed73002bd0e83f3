// AEAD over @noble/ciphers. The library takes key, nonce and associated data anew for every message.

import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { invariant } from '../../base/assert.ts'
import { NONCE_LENGTH, writeNonce } from '../nonce.ts'
import { CipherSuite, TAG_LENGTH, cipherSuite, type AeadKey, type CipherSuiteId } from '../provider.ts'

class NobleAeadKey implements AeadKey {
  private readonly cipher: typeof gcm | typeof chacha20poly1305
  private readonly key: Uint8Array
  private readonly iv: Uint8Array
  private readonly nonce: Uint8Array
  private destroyed: boolean

  constructor(suite: CipherSuiteId, key: Uint8Array, iv: Uint8Array) {
    this.cipher = suite === CipherSuite.chacha20Poly1305Sha256 ? chacha20poly1305 : gcm
    this.key = key.slice()
    this.iv = iv.slice()
    this.nonce = new Uint8Array(NONCE_LENGTH)
    this.destroyed = false
  }

  seal(buffer: Uint8Array, aadStart: number, start: number, end: number, packetNumber: number): void {
    invariant(!this.destroyed, 'AEAD key used after destroy')
    writeNonce(this.nonce, this.iv, packetNumber)
    buffer.set(this.cipher(this.key, this.nonce, buffer.subarray(aadStart, start)).encrypt(buffer.subarray(start, end)), start)
  }

  open(buffer: Uint8Array, aadStart: number, start: number, end: number, packetNumber: number): boolean {
    invariant(!this.destroyed, 'AEAD key used after destroy')
    if (end - start < TAG_LENGTH) return false
    writeNonce(this.nonce, this.iv, packetNumber)
    let plaintext: Uint8Array
    try {
      plaintext = this.cipher(this.key, this.nonce, buffer.subarray(aadStart, start)).decrypt(buffer.subarray(start, end))
    } catch {
      // The library has no other way to say that the tag is wrong.
      return false
    }
    buffer.set(plaintext, start)
    return true
  }

  destroy(): void {
    this.destroyed = true
    this.key.fill(0)
    this.iv.fill(0)
  }
}

export function nobleAead(suite: CipherSuiteId, key: Uint8Array, iv: Uint8Array): AeadKey {
  const info = cipherSuite(suite)
  invariant(key.length === info.keyLength && iv.length === info.ivLength, 'AEAD key or IV of a wrong length')
  return new NobleAeadKey(suite, key, iv)
}
