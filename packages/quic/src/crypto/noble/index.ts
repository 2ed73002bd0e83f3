// The portable provider: thin adapters over @noble/ciphers, hashes, curves and post-quantum. With a seeded random source a
// whole connection repeats byte for byte: key shares come from it, and ECDSA is deterministic.

import type { CryptoProvider, NamedGroup, RandomSource } from '../provider.ts'
import { nobleAead } from './aead.ts'
import { nobleBlockCipher } from './block-cipher.ts'
import { nobleCreateHash, nobleHash, nobleHmac } from './hash.ts'
import { nobleHeaderKey } from './header-key.ts'
import { NOBLE_GROUPS, nobleAnswerKeyExchange, nobleKeyExchange } from './key-exchange.ts'
import { nobleGenerateKeyPair, nobleImportPrivateKey, nobleVerify } from './signature.ts'

export function createNobleProvider(random: RandomSource): CryptoProvider {
  return {
    name: 'noble',
    random,
    groups: NOBLE_GROUPS,
    certificateCompressors: [],
    hash: nobleHash,
    createHash: nobleCreateHash,
    hmac: nobleHmac,
    aead: nobleAead,
    headerKey: nobleHeaderKey,
    blockCipher: nobleBlockCipher,
    keyExchange: (group: NamedGroup) => nobleKeyExchange(random, group),
    answerKeyExchange: (group: NamedGroup, peerPublic: Uint8Array) => nobleAnswerKeyExchange(random, group, peerPublic),
    importPrivateKey: nobleImportPrivateKey,
    verify: nobleVerify,
    generateKeyPair: (kind) => nobleGenerateKeyPair(random, kind),
  }
}

/** WebCrypto fills at most this many bytes in one call. */
const MAX_WEB_RANDOM = 65536

export const webRandom: RandomSource = {
  fill(destination: Uint8Array): void {
    for (let start = 0; start < destination.length; start += MAX_WEB_RANDOM) {
      globalThis.crypto.getRandomValues(destination.subarray(start, start + MAX_WEB_RANDOM) as Uint8Array<ArrayBuffer>)
    }
  },
}

export const nobleProvider: CryptoProvider = createNobleProvider(webRandom)
