// AEAD over node:crypto. A fresh cipher per packet is what the API allows, and the largest part of a packet's cost (4 to 6 µs and
// 600 bytes of garbage to seal 1200). Around it no views are made: associated data and tag go through scratch memory, and the view
// of a payload that is sealed at the same place again is kept (330 bytes of garbage less per packet, both ends; no difference in
// time was measurable). A KeyObject costs no more than the key's bytes.

import { createCipheriv, createDecipheriv, createSecretKey, type CipherGCMTypes, type KeyObject } from 'node:crypto'
import { invariant } from '../../base/assert.ts'
import { EMPTY, viewOf } from '../../base/bytes.ts'
import { NONCE_LENGTH, writeNonce } from '../nonce.ts'
import { CipherSuite, TAG_LENGTH, cipherSuite, type AeadKey, type CipherSuiteId } from '../provider.ts'

const OPTIONS = { authTagLength: TAG_LENGTH }

/** Associated data up to this length is copied, which covers every short header; longer ones get a view. */
const SCRATCH_LENGTH = 64

// Scratch of all keys: used within one call, and OpenSSL copies what it keeps.
const NONCE = new Uint8Array(NONCE_LENGTH)
const TAG = new Uint8Array(TAG_LENGTH)
const HEADER = new Uint8Array(SCRATCH_LENGTH)
/** By length: the first bytes of HEADER. */
const HEADER_VIEWS: readonly Uint8Array[] = Array.from({ length: SCRATCH_LENGTH + 1 }, (_, length) => HEADER.subarray(0, length))

function associatedData(buffer: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start
  if (length > SCRATCH_LENGTH) return viewOf(buffer, start, end)
  for (let i = 0; i < length; i++) HEADER[i] = buffer[start + i]!
  return HEADER_VIEWS[length]!
}

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
  /** payloadBuffer[payloadStart, payloadEnd) as sealed last. A sender fills one buffer over and over. */
  private payload: Uint8Array
  private payloadBuffer: Uint8Array
  private payloadStart: number
  private payloadEnd: number

  constructor(suite: CipherSuiteId, key: Uint8Array, iv: Uint8Array) {
    this.algorithm = algorithmOf(suite)
    this.key = createSecretKey(key)
    this.iv = iv.slice()
    this.payload = EMPTY
    this.payloadBuffer = EMPTY
    this.payloadStart = 0
    this.payloadEnd = 0
  }

  seal(buffer: Uint8Array, aadStart: number, start: number, end: number, packetNumber: number): void {
    const key = this.key
    invariant(key !== null, 'AEAD key used after destroy')
    writeNonce(NONCE, this.iv, packetNumber)
    const cipher = createCipheriv(this.algorithm, key, NONCE, OPTIONS)
    cipher.setAAD(associatedData(buffer, aadStart, start))
    if (end > start) buffer.set(cipher.update(this.payloadView(buffer, start, end)), start)
    cipher.final()
    buffer.set(cipher.getAuthTag(), end)
  }

  open(buffer: Uint8Array, aadStart: number, start: number, end: number, packetNumber: number): boolean {
    const key = this.key
    invariant(key !== null, 'AEAD key used after destroy')
    const tagStart = end - TAG_LENGTH
    if (tagStart < start) return false
    writeNonce(NONCE, this.iv, packetNumber)
    const decipher = createDecipheriv(this.algorithm, key, NONCE, OPTIONS)
    decipher.setAAD(associatedData(buffer, aadStart, start))
    for (let i = 0; i < TAG_LENGTH; i++) TAG[i] = buffer[tagStart + i]!
    decipher.setAuthTag(TAG)
    const plaintext = decipher.update(viewOf(buffer, start, tagStart))
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
    this.payload = EMPTY
    this.payloadBuffer = EMPTY
  }

  private payloadView(buffer: Uint8Array, start: number, end: number): Uint8Array {
    if (this.payloadBuffer !== buffer || this.payloadStart !== start || this.payloadEnd !== end) {
      this.payload = viewOf(buffer, start, end)
      this.payloadBuffer = buffer
      this.payloadStart = start
      this.payloadEnd = end
    }
    return this.payload
  }
}

export function nodeAead(suite: CipherSuiteId, key: Uint8Array, iv: Uint8Array): AeadKey {
  const info = cipherSuite(suite)
  invariant(key.length === info.keyLength && iv.length === info.ivLength, 'AEAD key or IV of a wrong length')
  return new NodeAeadKey(suite, key, iv)
}
