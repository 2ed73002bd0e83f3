// Who trusts something else, or is somebody else, finds other sessions.

import { expect, it } from 'vitest'
import { sessionOrigin } from '../../src/settings/session-store.ts'
import type { ClientTlsOptions } from '../../src/index.ts'
import { certificate, development } from '../support.ts'

const der = Uint8Array.of(0x30, 0)

it('every way to trust and every certificate to show has sessions of its own', () => {
  const options: ClientTlsOptions[] = [
    {},
    { insecure: true },
    { ca: development.certificatePem },
    { ca: der },
    { extraCa: development.certificatePem },
    { ca: der, extraCa: development.certificatePem },
    { serverCertificateHashes: ['00'.repeat(32)] },
    { serverCertificateHashes: ['11'.repeat(32)] },
    { certificates: [certificate] },
    { certificates: [{ ...certificate, cert: der }] },
    { verifyPeer: () => null },
  ]
  const origins = options.map((tls) => sessionOrigin('localhost', 443, tls))
  expect(new Set(origins).size).toBe(options.length)
  expect(options.map((tls) => sessionOrigin('localhost', 443, tls))).toEqual(origins)
  expect(sessionOrigin('localhost', 444, {})).not.toBe(origins[0])
})

it('spelling makes no difference', () => {
  const hash = 'ab'.repeat(32)
  const spellings = [hash, hash.toUpperCase(), hash.replace(/(..)(?=.)/g, '$1:'), new Uint8Array(32).fill(0xab)]
  const origins = spellings.map((entry) => sessionOrigin('localhost', 443, { serverCertificateHashes: [entry] }))
  expect(new Set(origins).size).toBe(1)
  expect(sessionOrigin('localhost', 443, { ca: development.certificatePem })).toBe(sessionOrigin('localhost', 443, { ca: development.certificate }))
})
