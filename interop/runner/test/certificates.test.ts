import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SeededRandom } from '@quicwire/quic/testing'
import { certificateChain, writeCertificates } from '../certificates.ts'

const now = Date.UTC(2026, 10, 1)

describe.each([1, 9] as const)('a chain of %i', (length) => {
  const { chain, root, key } = certificateChain(length, now, new SeededRandom(1))
  const certificates = chain.map((der) => new X509Certificate(der))

  test('has the leaf first, each signed by the next, the last by a root that is not in it', () => {
    expect(certificates).toHaveLength(length)
    const issuers = [...certificates.slice(1), new X509Certificate(root)]
    for (const [index, certificate] of certificates.entries()) {
      expect(certificate.checkIssued(issuers[index]!)).toBe(true)
      expect(certificate.verify(issuers[index]!.publicKey)).toBe(true)
      expect(certificate.ca).toBe(index > 0)
    }
    expect(certificates.some(({ raw }) => raw.equals(root))).toBe(false)
  })

  test('is for the names of the runner and of loopback, with the key, for ten days', () => {
    const [leaf] = certificates
    for (const name of ['server', 'server4', 'server6', 'server46', 'localhost']) expect(leaf!.checkHost(name)).toBe(name)
    for (const address of ['127.0.0.1', '::1']) expect(leaf!.checkIP(address)).toBe(address)
    expect(leaf!.checkPrivateKey(createPrivateKey({ key: Buffer.from(key), format: 'der', type: 'pkcs8' }))).toBe(true)
    expect(leaf!.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
    expect(Date.parse(leaf!.validTo) - now).toBe(10 * 86_400_000)
  })
})

test('the long chain is more than the handshake may carry before the client is known', () => {
  const sizes = certificateChain(9, now, new SeededRandom(1)).chain.map(({ length }) => length)
  // 20 names of 250 characters.
  expect(sizes[0]).toBeGreaterThan(5000)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(7500)
})

test('the files are what an endpoint of the runner expects', () => {
  const directory = mkdtempSync(join(tmpdir(), 'quicwire-certificates-'))
  try {
    writeCertificates(directory, certificateChain(9, now, new SeededRandom(1)))
    const [chain, key, ca] = ['cert.pem', 'priv.key', 'ca.pem'].map((name) => readFileSync(join(directory, name), 'utf8')) as [string, string, string]
    expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(9)
    expect(key).toMatch(/^-----BEGIN EC PARAMETERS-----[^]*-----BEGIN EC PRIVATE KEY-----/)
    expect(new X509Certificate(chain).checkPrivateKey(createPrivateKey(key))).toBe(true)
    const root = new X509Certificate(ca)
    expect(root.verify(root.publicKey)).toBe(true)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
