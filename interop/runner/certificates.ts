// The certificates of a run, as the runner makes them: ECDSA P-256 chains below a root of the run, valid for ten days. The long chain is
// of nine certificates whose leaf carries names no DNS would take: together more than a server may send before it knows its client.

import { createPrivateKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import type { SeededRandom } from '@quicwire/quic/testing'
import { issue, type Issued } from '../../packages/quic/test/tls/certificates/authority.ts'

const DAY = 86_400_000
const VALID_DAYS = 10

/** The runner's names, and those of the relay on loopback. */
const NAMES: readonly string[] = ['server', 'server4', 'server6', 'server46', 'localhost', '127.0.0.1', '::1']

const LONG_NAMES = 20
const LONG_NAME_LENGTH = 250

export interface CertificateChain {
  /** DER, leaf first, without the root. */
  readonly chain: readonly Uint8Array[]
  readonly root: Uint8Array
  /** Of the leaf: PKCS #8. */
  readonly key: Uint8Array
}

export function certificateChain(length: 1 | 9, unixTimeMs: number, random: SeededRandom): CertificateChain {
  const validity = { notBefore: unixTimeMs - DAY, notAfter: unixTimeMs + VALID_DAYS * DAY, keyIds: true }
  const authority = (name: string, issuer?: Issued): Issued =>
    issue({ ...validity, name, ca: true, pair: nodeProvider.generateKeyPair('p256'), ...(issuer === undefined ? {} : { issuer }) })
  const root = authority('interop root')
  const intermediates: Issued[] = []
  for (let i = 1; i < length; i++) intermediates.push(authority(`interop intermediate ${i}`, intermediates.at(-1) ?? root))
  const leaf = issue({
    ...validity,
    name: 'interop server',
    pair: nodeProvider.generateKeyPair('p256'),
    issuer: intermediates.at(-1) ?? root,
    names: length === 1 ? NAMES : [...NAMES, ...Array.from({ length: LONG_NAMES }, () => longName(random))],
  })
  return { chain: [leaf, ...intermediates.reverse()].map(({ der }) => der), root: root.der, key: leaf.pair.pkcs8 }
}

/** Letters without a dot: longer than a label of a name may be (RFC 1035 §2.3.4). */
function longName(random: SeededRandom): string {
  return Array.from({ length: LONG_NAME_LENGTH }, () => String.fromCharCode(0x61 + random.below(26))).join('')
}

/** Writes cert.pem (the chain), priv.key (SEC 1, behind its parameters, as the openssl command writes it) and ca.pem. */
export function writeCertificates(directory: string, { chain, root, key }: CertificateChain): void {
  const sec1 = createPrivateKey({ key: Buffer.from(key), format: 'der', type: 'pkcs8' }).export({ type: 'sec1', format: 'pem' }) as string
  writeFileSync(join(directory, 'cert.pem'), chain.map(pemOf).join(''))
  writeFileSync(join(directory, 'priv.key'), P256_PARAMETERS + sec1)
  writeFileSync(join(directory, 'ca.pem'), pemOf(root))
}

/** The object identifier of P-256. */
const P256_PARAMETERS = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'

function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
