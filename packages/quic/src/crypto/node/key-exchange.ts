// Key exchange over node:crypto, one row per group. x25519 keys go in and out as JWK: 4 µs and 14 µs, where
// SubjectPublicKeyInfo costs 130 µs and 160 µs (OpenSSL 3).

import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync, randomFillSync, type ECDH, type KeyObject } from 'node:crypto'
import { NamedGroup, type KeyAgreement, type KeyExchange, type RandomSource } from '../provider.ts'
import { MlKemHybrid, answerMlKemHybrid, answerWith } from '../ml-kem-hybrid.ts'
import { plainBytes } from './hash.ts'
import { nodeMlKem } from './ml-kem.ts'

class NodeX25519 implements KeyExchange {
  readonly group: NamedGroup
  readonly publicKey: Uint8Array
  private readonly privateKey: KeyObject

  constructor() {
    const pair = generateKeyPairSync('x25519')
    this.group = NamedGroup.x25519
    this.publicKey = Uint8Array.from(Buffer.from(String(pair.publicKey.export({ format: 'jwk' }).x), 'base64url'))
    this.privateKey = pair.privateKey
  }

  sharedSecret(peerPublic: Uint8Array): Uint8Array | null {
    if (peerPublic.length !== 32) return null
    const x = Buffer.from(peerPublic.buffer, peerPublic.byteOffset, 32).toString('base64url')
    try {
      const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
      return plainBytes(diffieHellman({ privateKey: this.privateKey, publicKey }))
    } catch {
      // RFC 9846 §7.4.2: an all-zero secret, from a point of small order; OpenSSL refuses it.
      return null
    }
  }

  // OpenSSL overwrites keys when their objects are collected.
  destroy(): void {}
}

class NodeEcdh implements KeyExchange {
  readonly group: NamedGroup
  readonly publicKey: Uint8Array
  private readonly ecdh: ECDH

  constructor(group: NamedGroup, curve: string) {
    this.group = group
    this.ecdh = createECDH(curve)
    this.publicKey = plainBytes(this.ecdh.generateKeys())
  }

  sharedSecret(peerPublic: Uint8Array): Uint8Array | null {
    // RFC 9846 §4.3.8.2: uncompressed points only.
    if (peerPublic.length !== this.publicKey.length || peerPublic[0] !== 0x04) return null
    try {
      return plainBytes(this.ecdh.computeSecret(peerPublic))
    } catch {
      // Not a point of the curve.
      return null
    }
  }

  destroy(): void {}
}

const openSslRandom: RandomSource = {
  fill(destination: Uint8Array): void {
    randomFillSync(destination)
  },
}

const nodeP256 = (): KeyExchange => new NodeEcdh(NamedGroup.secp256r1, 'prime256v1')

const GROUPS: Record<NamedGroup, () => KeyExchange> = {
  [NamedGroup.x25519MlKem768]: () => new MlKemHybrid(NamedGroup.x25519MlKem768, nodeMlKem(openSslRandom), new NodeX25519()),
  [NamedGroup.secp256r1MlKem768]: () => new MlKemHybrid(NamedGroup.secp256r1MlKem768, nodeMlKem(openSslRandom), nodeP256()),
  [NamedGroup.x25519]: () => new NodeX25519(),
  [NamedGroup.secp256r1]: nodeP256,
  [NamedGroup.secp384r1]: () => new NodeEcdh(NamedGroup.secp384r1, 'secp384r1'),
}

export const NODE_GROUPS: readonly NamedGroup[] = [
  NamedGroup.x25519MlKem768,
  NamedGroup.x25519,
  NamedGroup.secp256r1,
  NamedGroup.secp384r1,
  NamedGroup.secp256r1MlKem768,
]

export function nodeKeyExchange(group: NamedGroup): KeyExchange {
  return GROUPS[group]()
}

export function nodeAnswerKeyExchange(group: NamedGroup, peerPublic: Uint8Array): KeyAgreement | null {
  if (group === NamedGroup.x25519MlKem768) return answerMlKemHybrid(group, nodeMlKem(openSslRandom), new NodeX25519(), peerPublic)
  if (group === NamedGroup.secp256r1MlKem768) return answerMlKemHybrid(group, nodeMlKem(openSslRandom), nodeP256(), peerPublic)
  return answerWith(GROUPS[group](), peerPublic)
}
