// One chain for each way a certificate can be wrong, all others of its properties right: the check that has to fail, and the chain.

import { generateKeyPairSync } from 'node:crypto'
import { GeneralName, GeneralSubtree, GeneralSubtrees, NameConstraints } from '@peculiar/asn1-x509'
import { CLIENT_AUTH, DAY, issue, type Issued } from './authority.ts'

export interface RefusedChains {
  /** The one that is trusted. */
  readonly root: Issued
  /** By `CertificateError.check`; leaf first, for localhost. */
  readonly chains: Readonly<Record<string, readonly Issued[]>>
}

export function refusedChains(now: number): RefusedChains {
  const time = { notBefore: now - DAY, notAfter: now + DAY }
  const root = issue({ name: 'refusing root', ca: true, ...time })
  const under = (authority: Issued): readonly Issued[] => [issue({ issuer: authority, ...time }), authority]
  const nameConstraints = new NameConstraints({
    permittedSubtrees: new GeneralSubtrees([new GeneralSubtree({ base: new GeneralName({ dNSName: 'example.org' }) })]),
  })
  const narrow = issue({ name: 'narrow', ca: true, pathLength: 0, issuer: root, ...time })
  const rsa = generateKeyPairSync('rsa', {
    modulusLength: 1024,
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  })
  const weak = { pkcs8: new Uint8Array(rsa.privateKey), spki: new Uint8Array(rsa.publicKey) }
  return {
    root,
    chains: {
      expired: [issue({ issuer: root, ...time, notAfter: now - 1000 })],
      'not-yet-valid': [issue({ issuer: root, ...time, notBefore: now + DAY / 2 })],
      'name-mismatch': [issue({ issuer: root, names: ['elsewhere.example'], ...time })],
      'unknown-issuer': [issue({ issuer: issue({ name: 'stranger', ca: true, ...time }), ...time })],
      'self-signed': [issue({ name: 'self', ...time })],
      'invalid-authority': under(issue({ name: 'no authority', issuer: root, ...time })),
      'path-too-long': [...under(issue({ name: 'below narrow', ca: true, issuer: narrow, ...time })), narrow],
      'bad-signature': [issue({ issuer: { ...root, key: issue({ name: 'forger' }).key }, ...time })],
      'weak-key': [issue({ issuer: root, pair: weak, ...time })],
      'wrong-usage': [issue({ issuer: root, extendedKeyUsage: [CLIENT_AUTH], ...time })],
      'name-constraints': under(issue({ name: 'constrained', ca: true, issuer: root, nameConstraints, ...time })),
    },
  }
}
