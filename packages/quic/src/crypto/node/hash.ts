// Hashes and HMAC over node:crypto. Results are plain Uint8Array: no Buffer leaves this folder.

import { createHash, createHmac, type Hash } from 'node:crypto'
import type { HashContext, HashName } from '../provider.ts'

/** The same bytes without Buffer's own methods. */
export function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

class NodeHashContext implements HashContext {
  private readonly hash: Hash

  constructor(name: HashName) {
    this.hash = createHash(name)
  }

  update(data: Uint8Array): void {
    this.hash.update(data)
  }

  digest(): Uint8Array {
    return plainBytes(this.hash.copy().digest())
  }
}

export function nodeCreateHash(name: HashName): HashContext {
  return new NodeHashContext(name)
}

export function nodeHash(name: HashName, data: Uint8Array): Uint8Array {
  return plainBytes(createHash(name).update(data).digest())
}

export function nodeHmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  return plainBytes(createHmac(name, key).update(data).digest())
}
