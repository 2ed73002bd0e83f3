// Work the core cannot do at once: a signature or a verification, asked of the owner and answered later.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { nobleProvider } from '../../src/crypto/noble/index.ts'
import type { CryptoProvider, PrivateKey } from '../../src/crypto/provider.ts'
import type { TlsAnswer, TlsEvent } from '../../src/tls/events.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import { issue, NOW } from './certificates/authority.ts'
import { clientConfig, codeOf, LEAF, Pair, serverConfig } from './handshake.ts'

type Need = Extract<TlsEvent, { kind: 'need' }>

const RSA_ROOT = issue({ name: 'rsa root', kind: 'rsa2048', ca: true })
const RSA_LEAF = issue({ name: 'rsa leaf', kind: 'rsa2048', issuer: RSA_ROOT })

function needOf(events: readonly TlsEvent[]): Need | undefined {
  return events.find((event): event is Need => event.kind === 'need')
}

/** A key in a device: it signs, but not while we wait. */
function remote(key: PrivateKey): PrivateKey {
  return { kind: key.kind, schemes: key.schemes, pkcs8: null, sign: () => null }
}

describe('need sign', () => {
  it('rests before CertificateVerify and goes on with the signature', () => {
    const certificates = [{ chain: [LEAF.der], key: remote(LEAF.key) }]
    const pair = new Pair(clientConfig(), serverConfig({ certificates })).run()
    expect(pair.complete).toBe(false)
    const need = needOf(pair.serverEvents)
    if (need?.need !== 'sign') throw new Error('no need to sign')
    expect(need.key).toBe(certificates[0]!.key)
    expect(pair.serverEvents.at(-1)).toBe(need)
    expect(() => pair.server.provide({ need: 'verify', valid: [true] })).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    pair.server.provide({ need: 'sign', signature: LEAF.key.sign(need.scheme, need.message)! })
    expect(pair.run().complete).toBe(true)
  })

  it('a wrong signature is the signer’s fault: the client refuses it', () => {
    const pair = new Pair(clientConfig(), serverConfig({ certificates: [{ chain: [LEAF.der], key: remote(LEAF.key) }] })).run()
    pair.server.provide({ need: 'sign', signature: new Uint8Array(70) })
    pair.run()
    expect(`${pair.failedSide}: ${codeOf(pair.failure)}`).toBe('client: alert 51')
  })
})

describe('need verify', () => {
  const rsa = (provider: CryptoProvider): Pair =>
    new Pair(
      clientConfig({ provider, verify: { mode: 'chain', roots: [RSA_ROOT.der], unixTimeMs: NOW } }),
      serverConfig({ certificates: [{ chain: [RSA_LEAF.der], key: RSA_LEAF.key }] }),
    ).run()

  function answer(need: Need): TlsAnswer {
    if (need.need !== 'verify') throw new Error('no need to verify')
    const valid = need.items.map(({ scheme, spki, message, signature }) => nodeProvider.verify(scheme, spki, message, signature) === true)
    return { need: 'verify', valid }
  }

  it('asks for the chain and the handshake in one go, and goes on', () => {
    const pair = rsa(nobleProvider)
    expect(pair.complete).toBe(false)
    const need = needOf(pair.clientEvents)
    if (need?.need !== 'verify') throw new Error('no need to verify')
    expect(need.items.map(({ scheme }) => scheme)).toEqual([0x0401, 0x0804])
    pair.client.provide(answer(need))
    expect(pair.run().complete).toBe(true)
    expect(pair.client.info()?.signatureScheme).toBe(0x0804)
  })

  it('asks nothing where the provider can tell', () => {
    const pair = rsa(nodeProvider)
    expect(needOf(pair.clientEvents)).toBeUndefined()
    expect(pair.complete).toBe(true)
  })

  it('refuses the chain or the handshake by the answer', () => {
    const outcome = (valid: boolean[]): unknown => {
      const pair = rsa(nobleProvider)
      try {
        pair.client.provide({ need: 'verify', valid })
        return null
      } catch (error) {
        return error
      }
    }
    expect(outcome([false, true])).toMatchObject({ name: 'CertificateError', check: 'bad-signature' })
    expect(outcome([true, false])).toBeInstanceOf(TransportError)
    expect(codeOf(outcome([true, false]))).toBe('alert 51')
    expect(outcome([true])).toMatchObject({ code: 'ERR_TLS_USAGE' })
  })
})
