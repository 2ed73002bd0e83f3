// The 1-RTT keys of one direction through all their generations (RFC 9001 §6.1): the current AEAD key, the next one made
// ahead of its use, and a header protection key that stays.

import { EMPTY } from '../base/bytes.ts'
import { invariant } from '../base/assert.ts'
import { hkdfExpandLabel } from './hkdf.ts'
import { quicLabels } from './labels.ts'
import { packetAead, packetHeaderKey } from './packet-keys.ts'
import { cipherSuite, type AeadKey, type CipherSuiteId, type CryptoProvider, type HeaderKey } from './provider.ts'

/** secret_<n+1> of RFC 9001 §6.1. */
export function updatedSecret(provider: CryptoProvider, suite: CipherSuiteId, secret: Uint8Array, version: number = 1): Uint8Array {
  const labels = quicLabels(version)
  invariant(labels !== null, 'no key labels for this version')
  const { hash, hashLength } = cipherSuite(suite)
  return hkdfExpandLabel(provider, hash, secret, labels.keyUpdate, EMPTY, hashLength)
}

export class KeyChain {
  readonly header: HeaderKey
  current: AeadKey
  next: AeadKey
  private readonly provider: CryptoProvider
  private readonly suite: CipherSuiteId
  private readonly version: number
  /** The secret `next` was made from. */
  private secret: Uint8Array

  /** `secret` is left to the caller. */
  constructor(provider: CryptoProvider, suite: CipherSuiteId, secret: Uint8Array, version: number) {
    this.provider = provider
    this.suite = suite
    this.version = version
    this.header = packetHeaderKey(provider, suite, secret, version)
    this.current = packetAead(provider, suite, secret, version)
    this.secret = updatedSecret(provider, suite, secret, version)
    this.next = packetAead(provider, suite, this.secret, version)
  }

  /** Moves on by one generation and hands over the key that was current. */
  advance(): AeadKey {
    const old = this.current
    const secret = updatedSecret(this.provider, this.suite, this.secret, this.version)
    this.secret.fill(0)
    this.secret = secret
    this.current = this.next
    this.next = packetAead(this.provider, this.suite, secret, this.version)
    return old
  }

  destroy(): void {
    this.header.destroy()
    this.current.destroy()
    this.next.destroy()
    this.secret.fill(0)
  }
}
