// ML-KEM-768 (FIPS 203) over @noble/post-quantum, with the random bytes drawn by the caller's source.

import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import type { MlKem, MlKemKey } from '../ml-kem-hybrid.ts'
import { ML_KEM_CIPHERTEXT_LENGTH } from '../ml-kem-hybrid.ts'
import type { KeyAgreement, RandomSource } from '../provider.ts'

const SEED_LENGTH = 64
const MESSAGE_LENGTH = 32

export function nobleMlKem(random: RandomSource): MlKem {
  return {
    generate(): MlKemKey {
      const { publicKey, secretKey } = ml_kem768.keygen(drawn(random, SEED_LENGTH))
      return {
        publicKey,
        decapsulate: (ciphertext) => (ciphertext.length === ML_KEM_CIPHERTEXT_LENGTH ? ml_kem768.decapsulate(ciphertext, secretKey) : null),
        destroy: () => void secretKey.fill(0),
      }
    },
    encapsulate(publicKey: Uint8Array): KeyAgreement | null {
      const message = drawn(random, MESSAGE_LENGTH)
      try {
        const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, message)
        return { share: cipherText, sharedSecret }
      } catch {
        // FIPS 203 §7.2: a coefficient beyond the modulus.
        return null
      }
    },
  }
}

function drawn(random: RandomSource, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  random.fill(bytes)
  return bytes
}
