// The provider over node:crypto: the default wherever Node runs. The only folder of the package that imports a node: module.

import { randomFillSync } from 'node:crypto'
import type { CryptoProvider, RandomSource } from '../provider.ts'
import { nodeAead } from './aead.ts'
import { nodeBlockCipher } from './block-cipher.ts'
import { NODE_COMPRESSORS } from './certificate-compression.ts'
import { nodeCreateHash, nodeHash, nodeHmac } from './hash.ts'
import { nodeHeaderKey } from './header-key.ts'
import { NODE_GROUPS, nodeAnswerKeyExchange, nodeKeyExchange } from './key-exchange.ts'
import { nodeGenerateKeyPair, nodeImportPrivateKey, nodeVerify } from './signature.ts'

export const nodeRandom: RandomSource = {
  fill(destination: Uint8Array): void {
    randomFillSync(destination)
  },
}

/** Keys and signatures draw on OpenSSL's own generator, not on `random`: runs with this provider do not repeat byte for byte. */
export const nodeProvider: CryptoProvider = {
  name: 'node',
  random: nodeRandom,
  groups: NODE_GROUPS,
  certificateCompressors: NODE_COMPRESSORS,
  hash: nodeHash,
  createHash: nodeCreateHash,
  hmac: nodeHmac,
  aead: nodeAead,
  headerKey: nodeHeaderKey,
  blockCipher: nodeBlockCipher,
  keyExchange: nodeKeyExchange,
  answerKeyExchange: nodeAnswerKeyExchange,
  importPrivateKey: nodeImportPrivateKey,
  verify: nodeVerify,
  generateKeyPair: nodeGenerateKeyPair,
}
