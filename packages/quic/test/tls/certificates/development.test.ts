// Development certificates, judged by us and by node:crypto.

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { nobleProvider } from '../../../src/crypto/noble/index.ts'
import { certificatesFromPem } from '../../../src/tls/certificates/pem.ts'
import { createDevCertificate } from '../../../src/tls/certificates/development.ts'
import { clientConfig, Pair, serverConfig } from '../handshake.ts'
import { DAY, NOW } from './authority.ts'

for (const provider of [nodeProvider, nobleProvider]) {
  describe(`createDevCertificate with ${provider.name}`, () => {
    const made = createDevCertificate(provider, { names: ['localhost', '*.example.org', '127.0.0.1', '::1'], unixTimeMs: NOW })

    it('is what node:crypto calls a certificate, self-signed, for the names and not for others', () => {
      const certificate = new X509Certificate(made.certificate)
      expect(certificate.verify(certificate.publicKey)).toBe(true)
      expect(certificate.checkPrivateKey(createPrivateKey(made.privateKeyPem))).toBe(true)
      expect(certificate.ca).toBe(false)
      expect(certificate.checkHost('localhost')).toBe('localhost')
      expect(certificate.checkHost('a.example.org')).toBe('*.example.org')
      expect(certificate.checkHost('example.com')).toBeUndefined()
      expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
      expect(certificate.checkIP('::1')).toBe('::1')
      expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
      expect(certificate.raw.equals(new X509Certificate(made.certificatePem).raw)).toBe(true)
    })

    it('is valid for 14 days, as browsers ask of pinned certificates', () => {
      const { validFrom, validTo } = new X509Certificate(made.certificate)
      expect(Date.parse(validFrom)).toBeLessThan(NOW)
      expect(Date.parse(validTo) - Date.parse(validFrom)).toBe(14 * DAY)
    })

    it('comes in PEM, with its hash', () => {
      expect(certificatesFromPem(`before\n${made.certificatePem}${made.privateKeyPem}`)).toEqual([made.certificate])
      expect(made.sha256).toBe(createHash('sha256').update(made.certificate).digest('hex'))
    })

    it('serves a handshake for a name and for an address when it is a root', () => {
      const key = provider.importPrivateKey(made.privateKeyPem)
      const verify = { mode: 'chain', roots: certificatesFromPem(made.certificatePem), unixTimeMs: NOW } as const
      for (const serverName of ['localhost', 'a.example.org', '127.0.0.1', '::1']) {
        const pair = new Pair(
          clientConfig({ provider, serverName, verify }),
          serverConfig({ provider, certificates: [{ chain: [made.certificate], key }] }),
        ).run()
        expect(pair.failure).toBeNull()
        expect(pair.complete).toBe(true)
      }
    })
  })
}

describe('createDevCertificate', () => {
  it('makes another key and serial number every time', () => {
    const make = (): X509Certificate =>
      new X509Certificate(createDevCertificate(nodeProvider, { names: ['localhost'], unixTimeMs: NOW }).certificate)
    const [a, b] = [make(), make()]
    expect(a.serialNumber).not.toBe(b.serialNumber)
    expect(a.publicKey.equals(b.publicKey)).toBe(false)
  })

  it('goes beyond 2049 where UTCTime ends (RFC 5280 §4.1.2.5)', () => {
    const { certificate } = createDevCertificate(nodeProvider, { names: ['localhost'], days: 36_500, unixTimeMs: NOW })
    expect(new Date(new X509Certificate(certificate).validTo).getUTCFullYear()).toBe(2126)
  })

  it('refuses what is no name', () => {
    for (const names of [[], ['a b'], ['*.127.0.0.1']]) {
      const make = (): unknown => createDevCertificate(nodeProvider, { names, unixTimeMs: NOW })
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    }
  })
})
