// AEAD over node:crypto. A fresh cipher per packet is what the API allows, and the largest part of a packet's cost; beside
// it there are two views and the copy back. Passing the key as a KeyObject costs no more than passing its bytes.

import { createCipheriv, createDecipheriv, createSecretKey, type CipherGCMTypes, type KeyObject } from 'node:crypto'
import { invariant } from '../../base/assert.ts'
import { NONCE_LENGTH, writeNonce } from '../nonce.ts'
import { CipherSuite, TAG_LENGTH, cipherSuite, type AeadKey, type CipherSuiteId } from '../provider.ts'

const OPTIONS = { authTagLength: TAG_LENGTH }

function algorithmOf(suite: CipherSuiteId): CipherGCMTypes {
  switch (suite) {
    case CipherSuite.aes128GcmSha256:
      return 'aes-128-gcm'
    case CipherSuite.aes256GcmSha384:
      return 'aes-256-gcm'
    case CipherSuite.chacha20Poly1305Sha256:
      // The declarations keep the AEADs apart; the objects they return are the same.
      return 'chacha20-poly1305' as string as CipherGCMTypes
  }
}

class NodeAeadKey implements AeadKey {
  private readonly algorithm: CipherGCMTypes
  private key: KeyObject | null
  private readonly iv: Uint8Array
  private readonly nonce: Uint8Array

  constructor(suite: CipherSuiteId, key: Uint8Array, iv: Uint8Array) {
    this.algorithm = algorithmOf(suite)
    this.key = createSecretKey(key)
    this.iv = iv.slice()
    this.nonce = new Uint8Array(NONCE_LENGTH)
  }

  seal(buffer: Uint8Array, aadStart: number, start: number, end: number, packetNumber: number): void {
    const key = this.key
    invariant(key !== null, 'AEAD key used after destroy')
    writeNonce(this.nonce, this.iv, packetNumber)
    const cipher = createCipheriv(this.algorithm, key, this.nonce, OPTIONS)
    cipher.setAAD(buffer.subarray(aadStart, start))
    if (end > start) buffer.set(cipher.update(buffer.subarray(start, end)), start)
    cipher.final()
    buffer.set(cipher.getAuthTag(), end)
  }

  open(buffer: Uint8Array, aadStart: number, start: number, end: number, packetNumber: number): boolean {
    const key = this.key
    invariant(key !== null, 'AEAD key used after destroy')
    const tagStart = end - TAG_LENGTH
    if (tagStart < start) return false
    writeNonce(this.nonce, this.iv, packetNumber)
    const decipher = createDecipheriv(this.algorithm, key, this.nonce, OPTIONS)
    decipher.setAAD(buffer.subarray(aadStart, start))
    decipher.setAuthTag(buffer.subarray(tagStart, end))
    const plaintext = decipher.update(buffer.subarray(start, tagStart))
    try {
      decipher.final()
    } catch {
      // node:crypto has no other way to say that the tag is wrong.
      return false
    }
    buffer.set(plaintext, start)
    return true
  }

  destroy(): void {
    this.key = null
    this.iv.fill(0)
  }
}

export function nodeAead(suite: CipherSuiteId, key: Uint8Array, iv: Uint8Array): AeadKey {
  const info = cipherSuite(suite)
  invariant(key.length === info.keyLength && iv.length === info.ivLength, 'AEAD key or IV of a wrong length')
  return new NodeAeadKey(suite, key, iv)
}
