// What the cases serve and show: one small file, the server's certificate, and a client's with its authority.

import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CLIENT_AUTH, DAY, issue } from '../../packages/quic/test/tls/certificates/authority.ts'
import { encodePem } from '../../packages/quic/src/tls/certificates/pem.ts'
import { createIdentity, type Identity } from '../smoke/test-files.ts'

export interface TlsFiles extends Identity {
  readonly root: string
  readonly name: string
  readonly sha256: string
  readonly body: Uint8Array
  /** PEM files. */
  readonly clientAuthority: string
  readonly client: { readonly certificate: string; readonly key: string }
}

const BYTES = 50_000

export async function createTlsFiles(directory: string): Promise<TlsFiles> {
  const root = join(directory, 'www')
  await mkdir(root, { recursive: true })
  const name = 'file.bin'
  const body = randomBytes(BYTES)
  await writeFile(join(root, name), body)
  const now = Date.now()
  const time = { notBefore: now - DAY, notAfter: now + DAY, keyIds: true }
  const authority = issue({ name: 'interop clients', ca: true, ...time })
  const client = issue({ name: 'interop client', issuer: authority, extendedKeyUsage: [CLIENT_AUTH], ...time })
  const paths = { authority: join(directory, 'clients.pem'), certificate: join(directory, 'client.pem'), key: join(directory, 'client-key.pem') }
  await writeFile(paths.authority, encodePem('CERTIFICATE', authority.der))
  await writeFile(paths.certificate, encodePem('CERTIFICATE', client.der))
  await writeFile(paths.key, encodePem('PRIVATE KEY', client.pair.pkcs8), { mode: 0o600 })
  return {
    root,
    name,
    body,
    sha256: createHash('sha256').update(body).digest('hex'),
    clientAuthority: paths.authority,
    client: { certificate: paths.certificate, key: paths.key },
    ...(await createIdentity(directory)),
  }
}
