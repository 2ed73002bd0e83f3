// Hashes and HMAC over @noble/hashes.

import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import type { HashContext, HashName } from '../provider.ts'

type NobleHash = ReturnType<typeof sha256.create> | ReturnType<typeof sha384.create>

class NobleHashContext implements HashContext {
  private readonly hash: NobleHash

  constructor(name: HashName) {
    this.hash = name === 'sha256' ? sha256.create() : sha384.create()
  }

  update(data: Uint8Array): void {
    this.hash.update(data)
  }

  digest(): Uint8Array {
    return this.hash.clone().digest()
  }
}

export function nobleCreateHash(name: HashName): HashContext {
  return new NobleHashContext(name)
}

export function nobleHash(name: HashName, data: Uint8Array): Uint8Array {
  return name === 'sha256' ? sha256(data) : sha384(data)
}

export function nobleHmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  return hmac(name === 'sha256' ? sha256 : sha384, key, data)
}
