// Header protection masks over @noble/ciphers (RFC 9001 §5.4.3, §5.4.4).

import { ecb } from '@noble/ciphers/aes.js'
import { chacha20 } from '@noble/ciphers/chacha.js'
import { invariant } from '../../base/assert.ts'
import { MASK_LENGTH, SAMPLE_LENGTH } from '../header-protection.ts'
import { CipherSuite, cipherSuite, type CipherSuiteId, type HeaderKey } from '../provider.ts'

const OPTIONS = { disablePadding: true }
const FIVE_ZEROS = new Uint8Array(MASK_LENGTH)

class NobleHeaderKey implements HeaderKey {
  private readonly chacha: boolean
  private readonly key: Uint8Array
  /** Aligned copies: the library reads 32-bit words. */
  private readonly sample: Uint8Array
  private readonly nonce: Uint8Array
  private readonly view: DataView
  private destroyed: boolean

  constructor(suite: CipherSuiteId, key: Uint8Array) {
    this.chacha = suite === CipherSuite.chacha20Poly1305Sha256
    this.key = key.slice()
    const sample = new Uint8Array(SAMPLE_LENGTH)
    this.sample = sample
    this.nonce = sample.subarray(4)
    this.view = new DataView(sample.buffer)
    this.destroyed = false
  }

  mask(buffer: Uint8Array, sampleOffset: number, out: Uint8Array): void {
    invariant(!this.destroyed, 'header key used after destroy')
    const sample = this.sample
    for (let i = 0; i < SAMPLE_LENGTH; i++) sample[i] = buffer[sampleOffset + i]!
    const block = this.chacha
      ? chacha20(this.key, this.nonce, FIVE_ZEROS, undefined, this.view.getUint32(0, true))
      : ecb(this.key, OPTIONS).encrypt(sample)
    for (let i = 0; i < MASK_LENGTH; i++) out[i] = block[i]!
  }

  destroy(): void {
    this.destroyed = true
    this.key.fill(0)
  }
}

export function nobleHeaderKey(suite: CipherSuiteId, key: Uint8Array): HeaderKey {
  invariant(key.length === cipherSuite(suite).keyLength, 'header protection key of a wrong length')
  return new NobleHeaderKey(suite, key)
}
