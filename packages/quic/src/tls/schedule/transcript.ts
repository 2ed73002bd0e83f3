// The transcript hash: every handshake message, headers included. RFC 9846 §4.1.1.
// Until the cipher suite is known there is no hash yet, and the messages (one ClientHello) wait.

import { invariant } from '../../base/assert.ts'
import type { CryptoProvider, HashContext, HashName } from '../../crypto/provider.ts'
import { HandshakeType } from '../codec/message.ts'

export class Transcript {
  readonly #provider: CryptoProvider
  #waiting: Uint8Array[]
  #name: HashName | null
  #context: HashContext | null

  constructor(provider: CryptoProvider) {
    this.#provider = provider
    this.#waiting = []
    this.#name = null
    this.#context = null
  }

  add(message: Uint8Array): void {
    if (this.#context === null) this.#waiting.push(message)
    else this.#context.update(message)
  }

  /** The suite is chosen. A second call with the same hash changes nothing. */
  start(name: HashName): void {
    if (this.#context !== null) {
      invariant(this.#name === name, 'the hash of a transcript does not change')
      return
    }
    this.#name = name
    this.#context = this.#provider.createHash(name)
    for (const message of this.#waiting) this.#context.update(message)
    this.#waiting = []
  }

  digest(): Uint8Array {
    invariant(this.#context !== null, 'the transcript has a hash')
    return this.#context.digest()
  }

  /** digest(), or before the suite is known what it would be with this hash. */
  digestWith(name: HashName): Uint8Array {
    if (this.#context !== null) {
      invariant(this.#name === name, 'the hash of a transcript does not change')
      return this.#context.digest()
    }
    const context = this.#provider.createHash(name)
    for (const message of this.#waiting) context.update(message)
    return context.digest()
  }

  /** Everything so far (the first ClientHello) gives way to a message_hash message. RFC 9846 §4.1.1. */
  substituteMessageHash(): void {
    invariant(this.#name !== null, 'the transcript has a hash')
    const hash = this.digest()
    this.#context = this.#provider.createHash(this.#name)
    this.#context.update(Uint8Array.of(HandshakeType.messageHash, 0, 0, hash.length))
    this.#context.update(hash)
  }
}
