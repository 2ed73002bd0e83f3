// The server's certificate below an authority of its own: Firefox takes no certificate as its own anchor.

import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import { issue } from '../../packages/quic/test/tls/certificates/authority.ts'
import type { BrowserFiles } from './browser.ts'

const DAY = 86_400_000

/** PEM texts of the server, for localhost and 127.0.0.1, and what browsers are told. */
export interface ServerIdentity extends Pick<BrowserFiles, 'authority' | 'spkiHash'> {
  readonly cert: string
  readonly key: string
}

export async function createIdentity(directory: string): Promise<ServerIdentity> {
  const validity = { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY, keyIds: true }
  const root = issue({ ...validity, name: 'browsers root', ca: true, pair: nodeProvider.generateKeyPair('p256') })
  const pair = nodeProvider.generateKeyPair('p256')
  const leaf = issue({ ...validity, name: 'browsers server', issuer: root, pair, names: ['localhost', '127.0.0.1'] })
  const authority = join(directory, 'authority.pem')
  await writeFile(authority, pem('CERTIFICATE', root.der))
  return {
    cert: pem('CERTIFICATE', leaf.der),
    key: pem('PRIVATE KEY', pair.pkcs8),
    authority,
    spkiHash: createHash('sha256').update(pair.spki).digest('base64'),
  }
}

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
