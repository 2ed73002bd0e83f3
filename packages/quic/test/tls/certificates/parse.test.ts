import { describe, expect, it } from 'vitest'
import { createDevCertificate } from '../../../src/index.ts'
import { parseCertificate } from '../../../src/tls/certificates/parse.ts'
import { providerUnderTest as provider } from '../../crypto/provider-under-test.ts'

const UNIX_TIME = Date.UTC(2026, 0, 1)

function certificate(name: string): Uint8Array {
  return createDevCertificate(provider, { names: [name], unixTimeMs: UNIX_TIME }).certificate
}

describe('certificates decoded before', () => {
  it('are told apart by every byte', () => {
    const ones = Array.from({ length: 12 }, (_, i) => certificate(`host-${i}.example`))
    for (let round = 0; round < 3; round += 1) {
      for (const [i, der] of ones.entries()) expect(parseCertificate(der, 'a certificate').dnsNames).toEqual([`host-${i}.example`])
    }
  })

  it('do not change with the bytes they came in', () => {
    const der = certificate('kept.example')
    const message = Uint8Array.of(0, ...der, 0)
    const parsed = parseCertificate(message.subarray(1, 1 + der.length), 'a certificate')
    message.fill(0)
    expect(parsed.der).toEqual(der)
    expect(parseCertificate(der, 'a certificate')).toEqual(parsed)
    expect(() => parseCertificate(message.subarray(1, 1 + der.length), 'a certificate')).toThrow(/no certificate in DER/)
  })
})
