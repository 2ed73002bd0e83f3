// Client certificates, asked for in the handshake. RFC 9846 §4.4.2, §4.5.1–4.5.3; RFC 9001 §4.4.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { nobleProvider } from '../../src/crypto/noble/index.ts'
import { DerTag, derElement } from '../../src/crypto/der.ts'
import type { PrivateKey } from '../../src/crypto/provider.ts'
import { readCertificateNames } from '../../src/tls/certificates/distinguished-names.ts'
import { TrustAnchors } from '../../src/tls/certificates/roots.ts'
import { decodeCertificateRequest } from '../../src/tls/codec/certificate-request.ts'
import { message } from '../../src/tls/codec/block.ts'
import type { ClientAuthentication, ClientCertificate } from '../../src/tls/config.ts'
import { Handshake } from '../../src/tls/handshake.ts'
import { chooseClientCertificate } from '../../src/tls/client/own-certificate.ts'
import { CertificateError } from '../../src/tls/errors.ts'
import { NO_FILTERS } from '../../src/tls/extensions/oid-filters.ts'
import type { TlsEvent } from '../../src/tls/events.ts'
import { ServerTickets } from '../../src/tls/resumption/server-tickets.ts'
import { MemorySessionStore } from '../../src/tls/resumption/session-store.ts'
import { CLIENT_AUTH, DAY, issue, NOW, SERVER_AUTH, type Issued } from './certificates/authority.ts'
import * as pairing from './handshake.ts'
import { codeOf, Pair, rewrite, serverConfig } from './handshake.ts'

const CLIENTS = issue({ name: 'client authority', ca: true })
const STRANGERS = issue({ name: 'another authority', ca: true })
const ALICE = issue({ name: 'alice', issuer: CLIENTS, extendedKeyUsage: [CLIENT_AUTH] })
const EVE = issue({ name: 'eve', issuer: STRANGERS, extendedKeyUsage: [CLIENT_AUTH] })
const EDDY = issue({ name: 'eddy', issuer: CLIENTS, kind: 'ed25519' })

// A small group: none of this is about key exchange.
const clientConfig: typeof pairing.clientConfig = (changes) => pairing.clientConfig({ groups: [0x001d], ...changes })
const failureOf: typeof pairing.failureOf = (client, server, hand) => pairing.failureOf({ groups: [0x001d], ...client }, server, hand)

const verify = { mode: 'chain', roots: TrustAnchors.from([CLIENTS.der]), unixTimeMs: NOW } as const
const required: ClientAuthentication = { required: true, verify }
const wished: ClientAuthentication = { verify }

const own = ({ der, key }: Issued, ...above: Issued[]): ClientCertificate => ({ chain: [der, ...above.map((issuer) => issuer.der)], key })

function run(clientCertificates: readonly ClientCertificate[], clientAuthentication: ClientAuthentication): Pair {
  return new Pair(clientConfig({ clientCertificates }), serverConfig({ clientAuthentication })).run()
}

function refused(certificate: ClientCertificate, clientAuthentication: ClientAuthentication): string {
  const { failedSide, failure } = run([certificate], clientAuthentication)
  return failure instanceof CertificateError ? `${failedSide}: ${failure.check}, ${codeOf(failure)}` : `${failedSide}: ${codeOf(failure)}`
}

describe('a server that asks for a client certificate', () => {
  for (const provider of [nodeProvider, nobleProvider]) {
    it(`takes a good one with ${provider.name}, and says whose it is`, () => {
      const pair = new Pair(
        clientConfig({ provider, clientCertificates: [own(ALICE)] }),
        serverConfig({ provider, clientAuthentication: required }),
      ).run()
      expect(pair.failure).toBeNull()
      expect(pair.complete).toBe(true)
      expect(pair.server.info()).toMatchObject({ peerCertificates: [ALICE.der], peerVerified: true, signatureScheme: 0x0403 })
      const label = 'EXPORTER-x'
      expect(pair.client.exportKeyingMaterial(label, new Uint8Array(0), 32)).toEqual(
        pair.server.exportKeyingMaterial(label, new Uint8Array(0), 32),
      )
    })
  }

  it('goes on without one unless it is required: certificate_required then', () => {
    const pair = run([], wished)
    expect(pair.complete).toBe(true)
    expect(pair.server.info()).toMatchObject({ peerCertificates: [], peerVerified: false })
    const { failedSide, failure } = run([], required)
    expect(`${failedSide}: ${codeOf(failure)}`).toBe('server: alert 116')
  })

  it('refuses what does not stand the check, wished or required', () => {
    const lenient: ClientAuthentication = { ...wished, authorities: [] }
    const anyone: ClientAuthentication = { ...required, authorities: [] }
    for (const policy of [lenient, anyone]) {
      expect(refused(own(EVE), policy)).toBe('server: unknown-issuer, alert 48')
      expect(refused(own(issue({ issuer: CLIENTS, extendedKeyUsage: [SERVER_AUTH] })), policy)).toBe('server: wrong-usage, alert 43')
      expect(refused(own(issue({ issuer: CLIENTS, notAfter: NOW - 1 })), policy)).toBe('server: expired, alert 45')
      expect(refused(own(issue({ issuer: CLIENTS, notBefore: NOW + DAY })), policy)).toBe('server: not-yet-valid, alert 45')
      expect(refused(own(issue({ issuer: CLIENTS, keyUsage: 4 })), policy)).toBe('server: wrong-usage, alert 43')
    }
  })

  it('judges at its own time when none is given', () => {
    const roots = verify.roots
    const at = (timeOrigin: number): string => {
      const server = serverConfig({ timeOrigin, clientAuthentication: { required: true, verify: { mode: 'chain', roots } } })
      const pair = new Pair(clientConfig({ clientCertificates: [own(ALICE)] }), server).run()
      return pair.failure === null ? 'good' : codeOf(pair.failure)
    }
    expect(at(NOW)).toBe('good')
    expect(at(NOW + 2 * DAY)).toBe('alert 45')
    expect(() => serverConfigured({ verify: { mode: 'chain', roots } })).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
  })

  it('takes any certificate where it does not verify, but not without its key', () => {
    const insecure: ClientAuthentication = { required: true, verify: { mode: 'insecure' } }
    const pair = run([own(EVE)], insecure)
    expect(pair.server.info()).toMatchObject({ peerCertificates: [EVE.der], peerVerified: false })
    expect(refused({ chain: [EVE.der], key: ALICE.key }, insecure)).toBe('server: alert 51')
    const spoiled = rewrite('client', 15, (body) => body.with(20, body[20]! ^ 1))
    expect(failureOf({ clientCertificates: [own(EVE)] }, { clientAuthentication: insecure }, spoiled)).toBe('server: alert 51')
  })

  it('refuses what a client may not send: no CertificateVerify, extensions nobody asked for, a context (§4.5.1)', () => {
    const config = [{ clientCertificates: [own(ALICE)] }, { clientAuthentication: required }] as const
    const dropped = (from: string, _level: number, bytes: Uint8Array): Uint8Array[] => (from === 'client' && bytes[0] === 15 ? [] : [bytes])
    expect(failureOf(...config, dropped)).toBe('server: alert 10')
    const certificate = (write: (writer: Parameters<Parameters<typeof message>[1]>[0]) => void): ReturnType<typeof rewrite> =>
      rewrite('client', 11, () => message(11, write).subarray(4))
    const entry = (context: number, extensions: readonly number[], der: Uint8Array = ALICE.der): string =>
      failureOf(
        ...config,
        certificate((writer) => {
          writer.vector8(new Uint8Array(context))
          const list = writer.begin(3)
          writer.vector24(der)
          writer.vector16(Uint8Array.from(extensions))
          writer.end(list, 3)
        }),
      )
    expect(entry(1, [])).toBe('server: alert 47')
    expect(entry(0, [0, 5, 0, 0])).toBe('server: alert 110')
    expect(entry(0, [0xfa, 0xfa, 0, 0])).toBe('server: alert 110')
    expect(entry(0, [0, 16, 0, 0])).toBe('server: alert 47')
    expect(entry(0, [0])).toBe('server: alert 50')
    expect(entry(0, [], new Uint8Array(0))).toBe('server: alert 50')
    expect(entry(0, [], Uint8Array.of(1, 2, 3))).toBe('server: alert 42')
  })

  it('never resumes: who has to show a certificate shows it every time', () => {
    const sessions = new MemorySessionStore()
    const tickets = new ServerTickets(nodeProvider)
    const pair = new Pair(clientConfig({ sessions, clientCertificates: [own(ALICE)] }), serverConfig({ tickets, clientAuthentication: required }))
    pair.run()
    expect(pair.complete).toBe(true)
    expect(sessions.size).toBe(0)
    // A ticket from before the server began to ask is worth nothing either.
    new Pair(clientConfig({ sessions }), serverConfig({ tickets })).run()
    expect(sessions.size).toBeGreaterThan(0)
    const later = new Pair(clientConfig({ sessions }), serverConfig({ tickets, clientAuthentication: required })).run()
    expect(`${later.failedSide}: ${codeOf(later.failure)}`).toBe('server: alert 116')
  })
})

function serverConfigured(clientAuthentication: ClientAuthentication): Pair {
  return new Pair(clientConfig(), serverConfig({ clientAuthentication }))
}

describe('a client with several certificates', () => {
  const shown = (candidates: readonly ClientCertificate[], policy: ClientAuthentication): readonly Uint8Array[] => {
    const pair = run(candidates, policy)
    expect(pair.failure).toBeNull()
    return pair.server.info()!.peerCertificates
  }

  it('shows the first that one of the named authorities issued, or none', () => {
    expect(shown([own(EVE), own(ALICE)], wished)).toEqual([ALICE.der])
    expect(shown([own(EVE)], wished)).toEqual([])
    expect(shown([own(EDDY), own(ALICE)], wished)).toEqual([EDDY.der])
  })

  it('finds the authority anywhere in its chain', () => {
    const middle = issue({ name: 'middle', issuer: CLIENTS, ca: true })
    const leaf = issue({ name: 'below', issuer: middle })
    expect(shown([own(EVE), own(leaf, middle)], wished)).toEqual([leaf.der, middle.der])
    // Without the authority in between the server could not build the path.
    expect(shown([own(leaf)], wished)).toEqual([])
  })

  it('shows only what its key can sign as the server wants', () => {
    const handshake = new Handshake(clientConfig({ clientCertificates: [own(ALICE), own(EDDY)] }))
    const chosen = (...signatureSchemes: number[]): unknown => {
      const choice = chooseClientCertificate(handshake, { signatureSchemes, certificateSchemes: [], authorities: [], compression: [], filters: NO_FILTERS })
      return choice === null ? null : [choice.certificate.chain[0], choice.scheme]
    }
    expect(chosen(0x0807, 0x0403)).toEqual([ALICE.der, 0x0403])
    expect(chosen(0x0804, 0x0807)).toEqual([EDDY.der, 0x0807])
    // RSASSA-PKCS1-v1_5 signs certificates, no handshakes.
    expect(chosen(0x0401, 0x0503)).toBeNull()
  })

  it('signs elsewhere when its key is elsewhere, and fails with internal_error when it cannot', () => {
    const remote: PrivateKey = { kind: ALICE.key.kind, schemes: ALICE.key.schemes, pkcs8: null, sign: () => null }
    const begin = (): Pair => run([{ chain: [ALICE.der], key: remote }], required)
    const pair = begin()
    const need = pair.clientEvents.find((event): event is Extract<TlsEvent, { need: 'sign' }> => event.kind === 'need' && event.need === 'sign')!
    expect(pair.client.complete).toBe(false)
    pair.client.provide({ need: 'sign', signature: ALICE.key.sign(need.scheme, need.message)! })
    expect(pair.run().complete).toBe(true)
    for (const signature of [null, new Uint8Array(0)]) {
      expect(() => begin().client.provide({ need: 'sign', signature })).toThrow(expect.objectContaining({ wireCode: 0x100 + 80 }))
    }
  })
})

describe('CertificateRequest (RFC 9846 §4.4.2)', () => {
  const requests = (clientAuthentication: ClientAuthentication, provider = nodeProvider): ReturnType<typeof decodeCertificateRequest>[] => {
    const found: Uint8Array[] = []
    new Pair(clientConfig(), serverConfig({ provider, clientAuthentication }), (_from, _level, bytes) => {
      if (bytes[0] === 13) found.push(bytes.slice(4))
      return [bytes]
    }).run()
    return found.map(decodeCertificateRequest)
  }

  it('names the authorities of the roots, those that are given, or none', () => {
    const subject = derElement(DerTag.sequence, readCertificateNames(CLIENTS.der)!.subject)
    expect(requests(wished)).toEqual([expect.objectContaining({ authorities: [subject] })])
    expect(requests({ ...wished, authorities: [] })).toEqual([expect.objectContaining({ authorities: [] })])
    const given = [Uint8Array.of(0x30, 0)]
    expect(requests({ ...wished, authorities: given })).toEqual([expect.objectContaining({ authorities: given })])
    const many = Array.from({ length: 65 }, (_, i) => issue({ name: `root ${i}`, ca: true, pair: CLIENTS.pair }).der)
    expect(requests({ verify: { mode: 'chain', roots: many, unixTimeMs: NOW } })[0]!.authorities).toEqual([])
  })

  it('offers compression where the provider has it', () => {
    expect(requests(wished)[0]!.compression).toEqual(nodeProvider.certificateCompressors.map(({ algorithm }) => algorithm))
    expect(requests(wished, nobleProvider)[0]!.compression).toEqual([])
  })

  it('with malformed contents is refused by name', () => {
    const outcome = (...bytes: number[]): string =>
      failureOf({}, { clientAuthentication: wished }, rewrite('server', 13, () => Uint8Array.from(bytes)))
    const schemes = [0, 13, 0, 4, 0, 2, 4, 3]
    expect(outcome(0, 0, 0)).toBe('client: alert 109')
    expect(outcome(1, 7, 0, 8, ...schemes)).toBe('client: alert 47')
    expect(outcome(0, 0, 6, 0, 13, 0, 2, 0, 0)).toBe('client: alert 50')
    expect(outcome(0, 0, 14, ...schemes, 0, 47, 0, 2, 0, 0)).toBe('client: alert 50')
    expect(outcome(0, 0, 16, ...schemes, 0, 47, 0, 4, 0, 2, 0, 0)).toBe('client: alert 50')
    expect(outcome(0, 0, 14, ...schemes, 0, 27, 0, 2, 1, 0)).toBe('client: alert 50')
    expect(outcome(0, 0, 12, ...schemes, 0, 45, 0, 0)).toBe('client: alert 47')
    expect(outcome(0, 0, 16, ...schemes, ...schemes)).toBe('client: alert 47')
    // Unknown extensions are ignored: it fails later, at the signature over another transcript.
    expect(outcome(0, 0, 12, ...schemes, 0xfa, 0xfa, 0, 0)).toBe('client: alert 51')
  })

  it('is never sent to one that resumes', () => {
    const sessions = new MemorySessionStore()
    const tickets = new ServerTickets(nodeProvider)
    new Pair(clientConfig({ sessions }), serverConfig({ tickets })).run()
    const types: number[] = []
    const pair = new Pair(clientConfig({ sessions }), serverConfig({ tickets }), (_from, _level, bytes) => {
      types.push(bytes[0]!)
      return [bytes]
    }).run()
    expect(pair.server.info()!.resumed).toBe(true)
    expect(types).not.toContain(13)
  })
})
