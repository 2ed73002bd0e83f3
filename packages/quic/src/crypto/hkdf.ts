// HKDF (RFC 5869) over a provider's HMAC, and TLS 1.3's HKDF-Expand-Label (RFC 9846 §7.1).

import { invariant } from '../base/assert.ts'
import { hkdfLabel } from './labels.ts'
import { hashLength, type CryptoProvider, type HashName } from './provider.ts'

/** RFC 5869 §2.2. An empty salt stands for a string of zeros as long as the hash. */
export function hkdfExtract(provider: CryptoProvider, hash: HashName, salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return provider.hmac(hash, salt.length === 0 ? new Uint8Array(hashLength(hash)) : salt, inputKey)
}

/** RFC 5869 §2.3. `length` is at most 255 hash lengths. */
export function hkdfExpand(
  provider: CryptoProvider,
  hash: HashName,
  secret: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array<ArrayBuffer> {
  const blockLength = hashLength(hash)
  invariant(length <= 255 * blockLength, 'HKDF output too long')
  const output = new Uint8Array(length)
  // T(i) = HMAC(secret, T(i-1) || info || i): the first block has no T(i-1) in front.
  const input = new Uint8Array(blockLength + info.length + 1)
  input.set(info, blockLength)
  let counter = 1
  for (let position = 0; position < length; position += blockLength) {
    input[input.length - 1] = counter
    const block = provider.hmac(hash, secret, counter === 1 ? input.subarray(blockLength) : input)
    output.set(length - position < blockLength ? block.subarray(0, length - position) : block, position)
    input.set(block, 0)
    block.fill(0)
    counter++
  }
  input.fill(0)
  return output
}

export function hkdfExpandLabel(
  provider: CryptoProvider,
  hash: HashName,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array<ArrayBuffer> {
  return hkdfExpand(provider, hash, secret, hkdfLabel(length, label, context), length)
}
