// The owner's last word on a peer, after everything else was checked.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { nobleProvider } from '../../src/crypto/noble/index.ts'
import type { TlsEvent } from '../../src/tls/events.ts'
import { issue, NOW } from './certificates/authority.ts'
import { clientConfig, codeOf, LEAF, Pair, rewrite, serverConfig } from './handshake.ts'

const groups = [0x001d] as const

function needs(events: readonly TlsEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'need' ? [event.need] : []))
}

describe('need peer', () => {
  it('asks a client’s owner about the server, and goes on when it is welcome', () => {
    const pair = new Pair(clientConfig({ groups, asksPeer: true }), serverConfig()).run()
    expect(pair.clientEvents.at(-1)).toEqual({
      kind: 'need',
      need: 'peer',
      certificates: [LEAF.der],
      serverName: 'localhost',
      ocspResponse: null,
      signedCertificateTimestamps: null,
    })
    expect(pair.client.complete).toBe(false)
    pair.client.provide({ need: 'peer', refusal: null })
    expect(pair.run().complete).toBe(true)
  })

  it('is certificate_unknown when it is not, with the reason at this side', () => {
    const pair = new Pair(clientConfig({ groups, asksPeer: true }), serverConfig()).run()
    let failure: unknown = null
    try {
      pair.client.provide({ need: 'peer', refusal: 'revoked yesterday' })
    } catch (error) {
      failure = error
    }
    expect(codeOf(failure)).toBe('alert 46')
    expect(failure).toMatchObject({ check: 'refused', reason: 'revoked yesterday' })
  })

  it('is the only check where the chain is not verified, and makes the peer verified', () => {
    const stranger = issue({ name: 'stranger', names: ['other.example'] })
    const certificates = [{ chain: [stranger.der], key: stranger.key }]
    const pair = new Pair(clientConfig({ groups, asksPeer: true, verify: { mode: 'insecure' } }), serverConfig({ certificates })).run()
    expect(needs(pair.clientEvents)).toEqual(['peer'])
    pair.client.provide({ need: 'peer', refusal: null })
    expect(pair.run().client.info()).toMatchObject({ peerVerified: true, peerCertificates: [stranger.der] })
  })

  it('is not asked about a peer that fails another check', () => {
    const spoiled = rewrite('server', 15, (body) => body.with(20, body[20]! ^ 1))
    const wrongKey = new Pair(clientConfig({ groups, asksPeer: true }), serverConfig(), spoiled).run()
    expect([needs(wrongKey.clientEvents), codeOf(wrongKey.failure)]).toEqual([[], 'alert 51'])
    const wrongName = new Pair(clientConfig({ groups, asksPeer: true, serverName: 'other.example' }), serverConfig()).run()
    expect([needs(wrongName.clientEvents), codeOf(wrongName.failure)]).toEqual([[], 'alert 42'])
  })

  it('comes after signatures the provider could not check', () => {
    const root = issue({ name: 'rsa root', kind: 'rsa2048', ca: true })
    const leaf = issue({ name: 'rsa leaf', kind: 'rsa2048', issuer: root })
    const pair = new Pair(
      clientConfig({ groups, provider: nobleProvider, asksPeer: true, verify: { mode: 'chain', roots: [root.der], unixTimeMs: NOW } }),
      serverConfig({ certificates: [{ chain: [leaf.der], key: leaf.key }] }),
    ).run()
    const need = pair.clientEvents.at(-1)
    if (need?.kind !== 'need' || need.need !== 'verify') throw new Error('no need to verify')
    const valid = need.items.map(({ scheme, spki, message, signature }) => nodeProvider.verify(scheme, spki, message, signature) === true)
    pair.client.provide({ need: 'verify', valid })
    pair.run()
    expect(needs(pair.clientEvents)).toEqual(['verify', 'peer'])
    pair.client.provide({ need: 'peer', refusal: null })
    expect(pair.run().complete).toBe(true)
  })

  it('asks a server’s owner about a client that showed a certificate, and about no other', () => {
    const server = serverConfig({ asksPeer: true, clientAuthentication: { verify: { mode: 'insecure' } } })
    const anonymous = new Pair(clientConfig({ groups }), server).run()
    expect([anonymous.complete, needs(anonymous.serverEvents)]).toEqual([true, []])
    const clientCertificates = [{ chain: [LEAF.der], key: LEAF.key }]
    const known = new Pair(clientConfig({ groups, clientCertificates }), server).run()
    expect(known.serverEvents.at(-1)).toMatchObject({ need: 'peer', certificates: [LEAF.der], serverName: 'localhost' })
    known.server.provide({ need: 'peer', refusal: null })
    expect(known.run().server.info()).toMatchObject({ peerVerified: true })
    const refused = new Pair(clientConfig({ groups, clientCertificates }), server).run()
    expect(() => refused.server.provide({ need: 'peer', refusal: 'no' })).toThrow(expect.objectContaining({ wireCode: 0x100 + 46 }))
  })
})
