// Key exchange over @noble/curves and @noble/post-quantum, one row per group. Private keys come from the provider's random source and nowhere else.

import { x25519 } from '@noble/curves/ed25519.js'
import { p256, p384 } from '@noble/curves/nist.js'
import { NamedGroup, type KeyAgreement, type KeyExchange, type RandomSource } from '../provider.ts'
import { MlKemHybrid, answerMlKemHybrid, answerWith } from '../ml-kem-hybrid.ts'
import { nobleMlKem } from './ml-kem.ts'

class NobleX25519 implements KeyExchange {
  readonly group: NamedGroup
  readonly publicKey: Uint8Array
  private readonly secret: Uint8Array

  constructor(random: RandomSource) {
    this.group = NamedGroup.x25519
    this.secret = new Uint8Array(32)
    random.fill(this.secret)
    this.publicKey = x25519.getPublicKey(this.secret)
  }

  sharedSecret(peerPublic: Uint8Array): Uint8Array | null {
    if (peerPublic.length !== 32) return null
    try {
      return x25519.getSharedSecret(this.secret, peerPublic)
    } catch {
      // RFC 9846 §7.4.2: an all-zero secret, from a point of small order.
      return null
    }
  }

  destroy(): void {
    this.secret.fill(0)
  }
}

class NobleEcdh implements KeyExchange {
  readonly group: NamedGroup
  readonly publicKey: Uint8Array
  private readonly curve: typeof p256
  private readonly secret: Uint8Array

  constructor(group: NamedGroup, curve: typeof p256, random: RandomSource) {
    const seed = new Uint8Array(curve.lengths.seed ?? 0)
    random.fill(seed)
    this.group = group
    this.curve = curve
    this.secret = curve.utils.randomSecretKey(seed)
    this.publicKey = curve.getPublicKey(this.secret, false)
  }

  sharedSecret(peerPublic: Uint8Array): Uint8Array | null {
    // RFC 9846 §4.3.8.2: uncompressed points only.
    if (peerPublic.length !== this.publicKey.length || peerPublic[0] !== 0x04) return null
    try {
      // The X coordinate is the secret (RFC 9846 §7.4.2); a compressed point is one byte of sign and that.
      return this.curve.getSharedSecret(this.secret, peerPublic, true).slice(1)
    } catch {
      // Not a point of the curve.
      return null
    }
  }

  destroy(): void {
    this.secret.fill(0)
  }
}

const nobleP256 = (random: RandomSource): KeyExchange => new NobleEcdh(NamedGroup.secp256r1, p256, random)

const GROUPS: Record<NamedGroup, (random: RandomSource) => KeyExchange> = {
  [NamedGroup.x25519MlKem768]: (random) => new MlKemHybrid(NamedGroup.x25519MlKem768, nobleMlKem(random), new NobleX25519(random)),
  [NamedGroup.secp256r1MlKem768]: (random) => new MlKemHybrid(NamedGroup.secp256r1MlKem768, nobleMlKem(random), nobleP256(random)),
  [NamedGroup.x25519]: (random) => new NobleX25519(random),
  [NamedGroup.secp256r1]: nobleP256,
  [NamedGroup.secp384r1]: (random) => new NobleEcdh(NamedGroup.secp384r1, p384, random),
}

export const NOBLE_GROUPS: readonly NamedGroup[] = [
  NamedGroup.x25519MlKem768,
  NamedGroup.x25519,
  NamedGroup.secp256r1,
  NamedGroup.secp384r1,
  NamedGroup.secp256r1MlKem768,
]

export function nobleKeyExchange(random: RandomSource, group: NamedGroup): KeyExchange {
  return GROUPS[group](random)
}

export function nobleAnswerKeyExchange(random: RandomSource, group: NamedGroup, peerPublic: Uint8Array): KeyAgreement | null {
  if (group === NamedGroup.x25519MlKem768) return answerMlKemHybrid(group, nobleMlKem(random), new NobleX25519(random), peerPublic)
  if (group === NamedGroup.secp256r1MlKem768) return answerMlKemHybrid(group, nobleMlKem(random), nobleP256(random), peerPublic)
  return answerWith(GROUPS[group](random), peerPublic)
}
