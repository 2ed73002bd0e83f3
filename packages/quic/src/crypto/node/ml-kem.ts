// ML-KEM-768 over node:crypto where it has it (Node 24.7 and later with OpenSSL 3.5), over @noble/post-quantum elsewhere.
// Public keys travel raw in TLS and as SubjectPublicKeyInfo in node:crypto: the same 22 bytes in front
// (the object identifier is NIST's id-alg-ml-kem-768, 2.16.840.1.101.3.4.4.2).

import * as crypto from 'node:crypto'
import { concatBytes, copyBytes, fromHex } from '../../base/bytes.ts'
import { nobleMlKem } from '../noble/ml-kem.ts'
import type { KeyAgreement, RandomSource } from '../provider.ts'
import { ML_KEM_CIPHERTEXT_LENGTH } from '../ml-kem-hybrid.ts'
import type { MlKem, MlKemKey } from '../ml-kem-hybrid.ts'
import { plainBytes } from './hash.ts'

const SPKI_PREFIX = fromHex('308204b2300b0609608648016503040402038204a100')

const nativeMlKem: MlKem = {
  generate(): MlKemKey {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ml-kem-768')
    return {
      publicKey: copyBytes(publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length)),
      decapsulate: (ciphertext) =>
        ciphertext.length === ML_KEM_CIPHERTEXT_LENGTH ? plainBytes(crypto.decapsulate(privateKey, ciphertext)) : null,
      destroy: () => undefined,
    }
  },
  encapsulate(publicKey: Uint8Array): KeyAgreement | null {
    try {
      const key = crypto.createPublicKey({ key: Buffer.from(concatBytes(SPKI_PREFIX, publicKey)), format: 'der', type: 'spki' })
      const { sharedKey, ciphertext } = crypto.encapsulate(key)
      return { share: plainBytes(ciphertext), sharedSecret: plainBytes(sharedKey) }
    } catch {
      // FIPS 203 §7.2: a coefficient beyond the modulus; OpenSSL refuses it.
      return null
    }
  },
}

/** Node builds differ in what their OpenSSL has, so the functions being there is not enough. */
function hasNative(): boolean {
  if (typeof crypto.encapsulate !== 'function' || typeof crypto.decapsulate !== 'function') return false
  try {
    const key = nativeMlKem.generate()
    const agreement = nativeMlKem.encapsulate(key.publicKey)
    return agreement !== null && key.decapsulate(agreement.share) !== null
  } catch {
    return false
  }
}

let chosen: MlKem | null = null

/** Found out at the first use: the probe costs about a millisecond. */
export function nodeMlKem(random: RandomSource): MlKem {
  chosen ??= hasNative() ? nativeMlKem : nobleMlKem(random)
  return chosen
}
