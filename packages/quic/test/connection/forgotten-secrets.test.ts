// When a connection is over nothing secret of it is left in memory, where the language lets it be overwritten: every secret that passed
// through the provider is zero, and every key object was told to forget its key.

import { describe, expect, it } from 'vitest'
import { equalBytes, fromHex, fromUtf8 } from '../../src/base/bytes.ts'
import { NamedGroup } from '../../src/crypto/provider.ts'
import type { AeadKey, CryptoProvider, HeaderKey, KeyAgreement, KeyExchange } from '../../src/crypto/provider.ts'
import { TransportErrorCode, VERSION_2 } from '../../src/wire/constants.ts'
import { providerUnderTest } from '../crypto/provider-under-test.ts'
import { Reunion } from './early-data.ts'
import { CLIENT, Pair, pattern } from './pair.ts'

interface Secret {
  readonly what: string
  readonly bytes: Uint8Array
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

/** A provider that keeps hold of everything secret that goes through it. */
class Watch {
  readonly provider: CryptoProvider
  /** Secrets by reference: whoever overwrites one overwrites it here. */
  readonly secrets: Secret[]
  /** Keys that outlive connections, or that everybody knows, and all that is derived from them. */
  readonly exempt: Uint8Array[]
  keysAlive: number
  keysMade: number
  /** What the keys of Finished are, as they were made: what they authenticate is sent in the clear of the other side. */
  private readonly finishedKeys: Uint8Array[]

  constructor(base: CryptoProvider = providerUnderTest) {
    this.secrets = []
    this.exempt = []
    this.keysAlive = 0
    this.keysMade = 0
    this.finishedKeys = []
    this.provider = {
      ...base,
      hmac: (name, key, data) => this.hmac(base, name, key, data),
      aead: (suite, key, iv) => {
        this.see('AEAD key', key)
        this.see('IV', iv)
        return this.alive<AeadKey>(base.aead(suite, key, iv))
      },
      headerKey: (suite, key) => {
        this.see('header protection key', key)
        return this.alive<HeaderKey>(base.headerKey(suite, key))
      },
      keyExchange: (group) => this.exchange(base.keyExchange(group)),
      answerKeyExchange: (group, share) => this.agreement(base.answerKeyExchange(group, share)),
    }
  }

  private hmac(base: CryptoProvider, ...[name, key, data]: Parameters<CryptoProvider['hmac']>): Uint8Array {
    const result = base.hmac(name, key, data)
    const info = fromUtf8(data)
    // Token keys live as long as the server.
    if (info.includes('quicwire token') && !this.isExempt(key)) this.exempt.push(key.slice())
    if (this.isExempt(key)) {
      if (!info.includes('quicwire token')) this.exempt.push(result.slice())
      return result
    }
    const isExpansion = info.includes('tls13 ')
    this.see(`HMAC key of ${JSON.stringify(info.replaceAll(/[^\x20-\x7e]/g, ''))}`, key)
    if (isExpansion) {
      if (info.includes('tls13 finished')) this.finishedKeys.push(result.slice())
      this.see(`HMAC of ${JSON.stringify(info.replaceAll(/[^\x20-\x7e]/g, ''))}`, result)
      return result
    }
    // Finished and binders go over the network.
    if (this.finishedKeys.some((finished) => equalBytes(finished, key))) return result
    this.see('input of HKDF-Extract', data)
    this.see('output of HKDF-Extract', result)
    return result
  }

  private see(what: string, bytes: Uint8Array): void {
    if (bytes.length > 0 && !isZero(bytes) && !this.isExempt(bytes)) this.secrets.push({ what, bytes })
  }

  private isExempt(bytes: Uint8Array): boolean {
    return this.exempt.some((known) => equalBytes(known.subarray(0, bytes.length), bytes))
  }

  private alive<Key extends { destroy(): void }>(key: Key): Key {
    const destroy = key.destroy.bind(key)
    let gone = false
    this.keysAlive++
    this.keysMade++
    key.destroy = () => {
      if (!gone) this.keysAlive--
      gone = true
      destroy()
    }
    return key
  }

  private exchange(exchange: KeyExchange): KeyExchange {
    const agree = exchange.sharedSecret.bind(exchange)
    exchange.sharedSecret = (share) => {
      const secret = agree(share)
      if (secret !== null) this.see('shared secret of the client', secret)
      return secret
    }
    return this.alive(exchange)
  }

  private agreement(agreement: KeyAgreement | null): KeyAgreement | null {
    if (agreement !== null) this.see('shared secret of the server', agreement.sharedSecret)
    return agreement
  }

  /** What is still there, by kind. */
  left(): string[] {
    return this.secrets.filter(({ bytes }) => !isZero(bytes) && !this.isExempt(bytes)).map(({ what }) => what)
  }
}

function watched(): Watch {
  const watch = new Watch()
  // RFC 9001 §5.2: the salt of Initial secrets, which anybody can derive; and what the fixture derives reset tokens from.
  watch.exempt.push(fromHex('38762cf7f55934b34d179ae6a4c80cadccbb7f0a'), new Uint8Array(32).fill(7))
  return watch
}

describe('after a connection is over', () => {
  for (const groups of [[NamedGroup.x25519], [NamedGroup.secp256r1], [NamedGroup.x25519MlKem768, NamedGroup.x25519]] as const) {
    it(`no secret of it is left (groups ${groups.map((group) => group.toString(16)).join()}), and no key`, () => {
      const watch = watched()
      const pair = new Pair({ provider: watch.provider, clientTls: { groups }, serverTls: { groups } }).establish()
      pair.client.send(pattern(20_000))
      pair.settle()
      pair.client.connection.updateKeys()
      pair.client.send(pattern(20_000))
      pair.settle()
      expect(watch.left().length).toBeGreaterThan(0)
      const exported = pair.client.connection.exportKeyingMaterial('EXPORTER-x', new Uint8Array(0), 32)
      expect(pair.server.connection.exportKeyingMaterial('EXPORTER-x', new Uint8Array(0), 32)).toEqual(exported)
      pair.client.connection.close(0, '', pair.network.now)
      pair.network.turnAll()
      pair.network.runFor(5000)
      expect(pair.client.connection.isClosed() && pair.server.connection.isClosed()).toBe(true)
      expect(watch.secrets.length).toBeGreaterThan(50)
      expect(() => pair.client.connection.exportKeyingMaterial('EXPORTER-x', new Uint8Array(0), 32)).toThrow(
        expect.objectContaining({ code: 'ERR_TLS_USAGE' }),
      )
      expect(watch.left()).toEqual([])
      expect([watch.keysMade > 10, watch.keysAlive]).toEqual([true, 0])
    })
  }

  it('no secret of a resumed one with 0-RTT is left but what belongs to the store of sessions and the ticket keys', () => {
    const watch = watched()
    const reunion = new Reunion({ provider: watch.provider })
    const offered = reunion.sessions.take('test.example')!
    reunion.sessions.put('test.example', offered)
    const client = reunion.meet((early) => void early.send(pattern(500)))
    reunion.confirm(client).pair.settle()
    expect(client.connection.handshakeInfo()).toMatchObject({ resumed: true, earlyData: true })
    for (const peer of [client, reunion.pair.client]) peer.connection.close(0, '', reunion.pair.network.now)
    reunion.pair.network.turnAll()
    reunion.pair.network.runFor(5000)
    // The application's, as the store of sessions is.
    watch.exempt.push(offered.psk.slice())
    for (let session = reunion.sessions.take('test.example'); session !== null; session = reunion.sessions.take('test.example')) {
      watch.exempt.push(session.psk.slice())
    }
    expect(watch.left()).toEqual([])
    expect(watch.keysAlive).toBe(0)
  })

  it('nor of one whose handshake never came to its end', () => {
    const watch = watched()
    const pair = new Pair({ provider: watch.provider, serverTls: { alpn: ['other'] } })
    pair.network.runFor(20_000)
    expect(pair.client.closeReasons()).toMatchObject([{ code: TransportErrorCode.cryptoError + 120 }])
    expect(pair.client.connection.isClosed()).toBe(true)
    expect(watch.left()).toEqual([])
    expect(watch.keysAlive).toBe(0)
  })

  it('nor of one that idled out before a word came back', () => {
    const watch = watched()
    const pair = new Pair({ provider: watch.provider, conditions: { loss: 1 } })
    pair.network.runFor(60_000)
    expect(pair.client.connection.isClosed()).toBe(true)
    expect(watch.left()).toEqual([])
    expect(watch.keysAlive).toBe(0)
  })

  for (const [what, begin] of [
    ['open', () => undefined],
    ['closing', ({ client, network }: Pair) => client.connection.close(0, '', network.now)],
    ['draining', ({ client, server, network }: Pair) => {
      server.connection.close(0, '', network.now)
      network.turnAll()
      network.run(() => client.connection.closeReason() !== null)
    }],
  ] as const) {
    it(`nor of one that its owner let go of while it was ${what}; it says nothing more, and takes nothing`, () => {
      const watch = watched()
      const pair = new Pair({ provider: watch.provider }).establish().settle()
      begin(pair)
      const { connection } = pair.client
      connection.destroy(pair.network.now)
      expect([connection.isClosed(), connection.nextTimeout()]).toEqual([true, Infinity])
      connection.destroy(pair.network.now)
      let sent = 0
      pair.network.observe(({ from }) => void (sent += from === CLIENT ? 1 : 0))
      pair.server.send(pattern(500), true, false)
      pair.network.turnAll()
      pair.network.runFor(200)
      expect(sent).toBe(0)
      const reasons = pair.client.closeReasons()
      expect(reasons.length).toBeLessThan(2)
      pair.server.connection.destroy(pair.network.now)
      expect(watch.left()).toEqual([])
      expect(watch.keysAlive).toBe(0)
    })
  }

  it('nor of one that Version Negotiation ended', () => {
    const watch = watched()
    const pair = new Pair({ provider: watch.provider, endpoint: { versions: [VERSION_2] } })
    pair.network.runFor(5000)
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'version-negotiation' }])
    expect(watch.left()).toEqual([])
    expect(watch.keysAlive).toBe(0)
  })
})
