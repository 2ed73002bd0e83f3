// Certificates that a server describes by their extensions. RFC 9846 §4.3.5.

import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex } from '../../../src/base/bytes.ts'
import { TrustAnchors } from '../../../src/tls/certificates/roots.ts'
import type { ClientCertificate } from '../../../src/tls/config.ts'
import { readOidFilters } from '../../../src/tls/extensions/oid-filters.ts'
import { chooseClientCertificate } from '../../../src/tls/client/own-certificate.ts'
import { Handshake } from '../../../src/tls/handshake.ts'
import { CLIENT_AUTH, issue, NOW, SERVER_AUTH, type Issued } from '../certificates/authority.ts'
import { clientConfig, failureOf, rewrite } from '../handshake.ts'

const AUTHORITY = issue({ name: 'client authority', ca: true })
const plain = issue({ name: 'plain', issuer: AUTHORITY })
const signs = issue({ name: 'signs', issuer: AUTHORITY, keyUsage: 1, extendedKeyUsage: [CLIENT_AUTH] })
const both = issue({ name: 'both', issuer: AUTHORITY, keyUsage: 1 | 4, extendedKeyUsage: [SERVER_AUTH, CLIENT_AUTH] })
const own = ({ der, key }: Issued): ClientCertificate => ({ chain: [der], key })

type Filter = readonly [identifier: string, values: string]

const KEY_USAGE = '0603551d0f'
const PURPOSES = '0603551d25'
// BIT STRINGs of digitalSignature, and of it with keyEncipherment; SEQUENCEs of purposes.
const SIGNATURE = '03020780'
const SIGNATURE_AND_ENCIPHERMENT = '030205a0'
const CLIENT = '300a06082b06010505070302'
const SERVER_AND_CLIENT = '301406082b0601050507030106082b06010505070302'
const ANY = '30060604551d2500'

function extension(...filters: readonly Filter[]): Uint8Array {
  const vectors = filters.map(([identifier, values]) => {
    const [name, value] = [fromHex(identifier), fromHex(values)]
    return concatBytes(Uint8Array.of(name.length), name, Uint8Array.of(0, value.length), value)
  })
  const list = concatBytes(...vectors)
  return concatBytes(Uint8Array.of(list.length >> 8, list.length & 255), list)
}

function chosen(...filters: readonly Filter[]): string {
  const handshake = new Handshake(clientConfig({ clientCertificates: [plain, signs, both].map(own) }))
  const request = { signatureSchemes: [0x0403], certificateSchemes: [], authorities: [], compression: [], filters: readOidFilters(extension(...filters)) }
  const choice = chooseClientCertificate(handshake, request)
  return [plain, signs, both].find(({ der }) => der === choice?.certificate.chain[0])?.name ?? 'none'
}

describe('a client whose server describes the certificate it wants', () => {
  it('shows the first that has every bit of usage and every purpose asked for', () => {
    expect(chosen()).toBe('plain')
    expect(chosen([KEY_USAGE, SIGNATURE])).toBe('signs')
    expect(chosen([PURPOSES, CLIENT])).toBe('signs')
    expect(chosen([KEY_USAGE, SIGNATURE_AND_ENCIPHERMENT])).toBe('both')
    expect(chosen([PURPOSES, SERVER_AND_CLIENT])).toBe('both')
    expect(chosen([KEY_USAGE, SIGNATURE], [PURPOSES, SERVER_AND_CLIENT])).toBe('both')
    expect(chosen([KEY_USAGE, '03020204'])).toBe('none')
  })

  it('passes over a certificate of its own that cannot be read, which is not the fault of the server', () => {
    const broken: ClientCertificate = { chain: [signs.der.subarray(0, 100)], key: signs.key }
    const handshake = new Handshake(clientConfig({ clientCertificates: [broken, own(signs)] }))
    const filters = readOidFilters(extension([KEY_USAGE, SIGNATURE]))
    const choice = chooseClientCertificate(handshake, { signatureSchemes: [0x0403], certificateSchemes: [], authorities: [], compression: [], filters })
    expect(choice?.certificate.chain[0]).toBe(signs.der)
  })

  it('skips what it does not recognise', () => {
    expect(chosen(['06022a03', '0500'])).toBe('plain')
    expect(chosen(['06022a03', ''], [PURPOSES, CLIENT])).toBe('signs')
  })

  it('refuses filters that nobody may send, each by its alert', () => {
    const outcome = (body: Uint8Array): string => {
      const head = fromHex('000d000400020403')
      const block = concatBytes(head, Uint8Array.of(0, 48, body.length >> 8, body.length & 255), body)
      const request = concatBytes(Uint8Array.of(0, block.length >> 8, block.length & 255), block)
      const clientAuthentication = { verify: { mode: 'chain', roots: TrustAnchors.from([AUTHORITY.der]), unixTimeMs: NOW } } as const
      return failureOf({ groups: [0x001d] }, { clientAuthentication }, rewrite('server', 13, () => request))
    }
    const good = extension([KEY_USAGE, SIGNATURE])
    // A good one changes the transcript, so it fails later.
    expect(outcome(good)).toBe('client: alert 51')
    expect(outcome(extension([KEY_USAGE, SIGNATURE], [KEY_USAGE, SIGNATURE]))).toBe('client: alert 47')
    expect(outcome(extension([PURPOSES, ANY]))).toBe('client: alert 47')
    expect(outcome(extension([KEY_USAGE, '0500']))).toBe('client: alert 50')
    expect(outcome(extension(['', '']))).toBe('client: alert 50')
    expect(outcome(concatBytes(good, Uint8Array.of(0)))).toBe('client: alert 50')
    expect(outcome(good.subarray(0, good.length - 1))).toBe('client: alert 50')
    const many = Array.from({ length: 65 }, (_, i): Filter => [`0601${i.toString(16).padStart(2, '0')}`, ''])
    expect(outcome(extension(...many))).toBe('client: alert 50')
    expect(outcome(extension(...many.slice(1)))).toBe('client: alert 51')
  })
})
