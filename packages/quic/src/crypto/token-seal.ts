// Sealing of opaque tokens that only their maker reads: Retry and NEW_TOKEN (RFC 9000 §8.1), session tickets.
// Token = 16 random bytes, then AES-256-GCM of (time of issue, content) under a key of those bytes' own, so no nonce can ever
// repeat. Purpose and context (the client's address, say) are authenticated and not carried. Nothing is kept per token.

import { concatBytes, utf8 } from '../base/bytes.ts'
import { invariant } from '../base/assert.ts'
import { hkdfExpand } from './hkdf.ts'
import { CipherSuite, TAG_LENGTH, type AeadKey, type CryptoProvider } from './provider.ts'

const SALT_LENGTH = 16
const TIME_LENGTH = 8
const LABEL = utf8('quicwire token')

/** Bytes a token is longer than its content. */
export const TOKEN_OVERHEAD: number = SALT_LENGTH + TIME_LENGTH + TAG_LENGTH

export interface OpenedToken {
  /** When it was sealed: milliseconds on the sealer's clock. */
  readonly issuedAt: number
  readonly content: Uint8Array
}

export class TokenSeal {
  private readonly provider: CryptoProvider
  private readonly keys: readonly Uint8Array[]

  /** `keys`: 32 random bytes each. The first one seals, all of them open: rotate by putting a new one in front. */
  constructor(provider: CryptoProvider, keys: readonly Uint8Array[]) {
    invariant(keys.length > 0 && keys.every((key) => key.length === 32), 'token keys are 32 bytes each')
    this.provider = provider
    this.keys = keys.map((key) => key.slice())
  }

  /** `purpose` keeps kinds of tokens apart (0..255). `now` in milliseconds, on a clock that all holders of the key share. */
  seal(purpose: number, context: Uint8Array, content: Uint8Array, now: number): Uint8Array {
    const salt = new Uint8Array(SALT_LENGTH)
    this.provider.random.fill(salt)
    const time = new Uint8Array(TIME_LENGTH)
    new DataView(time.buffer).setFloat64(0, now)
    const buffer = concatBytes(Uint8Array.of(purpose), context, salt, time, content, new Uint8Array(TAG_LENGTH))
    const start = 1 + context.length + SALT_LENGTH
    const aead = this.tokenKey(this.keys[0]!, salt)
    aead.seal(buffer, 0, start, buffer.length - TAG_LENGTH, 0)
    aead.destroy()
    return buffer.slice(1 + context.length)
  }

  /** Null: not one of ours, for another purpose or context, or damaged. Its age is for the caller to judge. */
  open(purpose: number, context: Uint8Array, token: Uint8Array): OpenedToken | null {
    if (token.length < TOKEN_OVERHEAD) return null
    const buffer = concatBytes(Uint8Array.of(purpose), context, token)
    const start = 1 + context.length + SALT_LENGTH
    for (const key of this.keys) {
      const aead = this.tokenKey(key, token.subarray(0, SALT_LENGTH))
      const opened = aead.open(buffer, 0, start, buffer.length, 0)
      aead.destroy()
      if (opened) {
        const issuedAt = new DataView(buffer.buffer).getFloat64(start)
        const content = buffer.slice(start + TIME_LENGTH, buffer.length - TAG_LENGTH)
        buffer.fill(0)
        return { issuedAt, content }
      }
    }
    return null
  }

  private tokenKey(key: Uint8Array, salt: Uint8Array): AeadKey {
    const material = hkdfExpand(this.provider, 'sha256', key, concatBytes(LABEL, salt), 44)
    const aead = this.provider.aead(CipherSuite.aes256GcmSha384, material.subarray(0, 32), material.subarray(32))
    material.fill(0)
    return aead
  }
}
