// Header protection masks over node:crypto (RFC 9001 §5.4.3, §5.4.4). For AES one cipher object lives as long as the key:
// ECB carries nothing from block to block (0.7 µs a mask; a fresh object would cost 3 µs). ChaCha20 takes its counter and
// nonce from the sample, so there it has to be a fresh one.

import { createCipheriv, createSecretKey, type Cipheriv, type KeyObject } from 'node:crypto'
import { invariant } from '../../base/assert.ts'
import { MASK_LENGTH, SAMPLE_LENGTH } from '../header-protection.ts'
import { CipherSuite, cipherSuite, type CipherSuiteId, type HeaderKey } from '../provider.ts'

// Scratch of all keys: used within one call.
const SAMPLE = new Uint8Array(SAMPLE_LENGTH)

class NodeAesHeaderKey implements HeaderKey {
  private cipher: Cipheriv | null

  constructor(key: Uint8Array) {
    const cipher = createCipheriv(key.length === 16 ? 'aes-128-ecb' : 'aes-256-ecb', key, null)
    cipher.setAutoPadding(false)
    this.cipher = cipher
  }

  mask(buffer: Uint8Array, sampleOffset: number, out: Uint8Array): void {
    const cipher = this.cipher
    invariant(cipher !== null, 'header key used after destroy')
    for (let i = 0; i < SAMPLE_LENGTH; i++) SAMPLE[i] = buffer[sampleOffset + i]!
    const block = cipher.update(SAMPLE)
    for (let i = 0; i < MASK_LENGTH; i++) out[i] = block[i]!
  }

  destroy(): void {
    this.cipher = null
  }
}

const FIVE_ZEROS = new Uint8Array(MASK_LENGTH)

class NodeChaChaHeaderKey implements HeaderKey {
  private key: KeyObject | null

  constructor(key: Uint8Array) {
    this.key = createSecretKey(key)
  }

  mask(buffer: Uint8Array, sampleOffset: number, out: Uint8Array): void {
    const key = this.key
    invariant(key !== null, 'header key used after destroy')
    for (let i = 0; i < SAMPLE_LENGTH; i++) SAMPLE[i] = buffer[sampleOffset + i]!
    // The sample is counter (4 bytes, little-endian) and nonce (12 bytes): just the IV that OpenSSL wants.
    const block = createCipheriv('chacha20', key, SAMPLE).update(FIVE_ZEROS)
    for (let i = 0; i < MASK_LENGTH; i++) out[i] = block[i]!
  }

  destroy(): void {
    this.key = null
  }
}

export function nodeHeaderKey(suite: CipherSuiteId, key: Uint8Array): HeaderKey {
  invariant(key.length === cipherSuite(suite).keyLength, 'header protection key of a wrong length')
  return suite === CipherSuite.chacha20Poly1305Sha256 ? new NodeChaChaHeaderKey(key) : new NodeAesHeaderKey(key)
}
