// HelloRetryRequest from both ends. RFC 9846 §4.2.4, §4.3.8; RFC 9001 §4.7.

import { describe, expect, it } from 'vitest'
import { EncryptionLevel } from '../../src/wire/constants.ts'
import { TlsEngine } from '../../src/tls/engine.ts'
import { message } from '../../src/tls/codec/block.ts'
import { decodeClientHello } from '../../src/tls/codec/client-hello.ts'
import { encodeHelloRetryRequest } from '../../src/tls/codec/server-hello.ts'
import { concatBytes } from '../../src/base/bytes.ts'
import type { TlsConfig } from '../../src/tls/engine.ts'
import { clientConfig, codeOf, failureOf, Pair, rewrite, serverConfig, type Hand } from './handshake.ts'

function helloOf(engine: TlsEngine): Uint8Array {
  const event = engine.poll()
  if (event === null || event.kind !== 'crypto') throw new Error('no ClientHello')
  return event.bytes
}

/** What a fresh client answers to these bytes in place of a ServerHello. */
function answerTo(bytes: Uint8Array): string {
  const client = new TlsEngine(clientConfig({ groups: [0x001d, 0x0017] }))
  client.start()
  helloOf(client)
  try {
    client.receive(EncryptionLevel.initial, bytes)
    return 'taken'
  } catch (error) {
    return codeOf(error)
  }
}

describe('a server without a share it can use', () => {
  for (const [groups, own] of [[[0x0018, 0x001d], [0x001d]], [[0x001d, 0x0017], [0x0017]], [[0x0017, 0x0018], [0x0018, 0x001d]]] as const) {
    it(`asks a client with groups ${groups.join()} for ${own[0]} and completes`, () => {
      const pair = new Pair(clientConfig({ groups }), serverConfig({ groups: own })).run()
      expect(pair.failure).toBeNull()
      expect(pair.complete).toBe(true)
      expect(pair.client.info()).toMatchObject({ group: own[0], helloRetry: true })
      expect(pair.server.info()).toMatchObject({ group: own[0], helloRetry: true })
      expect(pair.clientEvents.filter((event) => event.kind === 'crypto' && event.level === 0)).toHaveLength(2)
    })
  }

  it('completes with the hash of every suite (the transcript restarts from message_hash)', () => {
    for (const suite of [0x1301, 0x1302, 0x1303] as const) {
      const pair = new Pair(clientConfig({ groups: [0x0018, 0x001d], cipherSuites: [suite] }), serverConfig({ groups: [0x001d] })).run()
      expect(pair.complete).toBe(true)
    }
  })

  it('prefers a share at hand to its own first group', () => {
    const pair = new Pair(clientConfig({ groups: [0x0017, 0x001d] }), serverConfig({ groups: [0x001d, 0x0017] })).run()
    expect(pair.client.info()).toMatchObject({ group: 0x0017, helloRetry: false })
  })

  it('fails with handshake_failure when no group is common (RFC 9846 §4.2.1)', () => {
    expect(failureOf({ groups: [0x001d] }, { groups: [0x0017] })).toBe('server: alert 40')
  })

  it('refuses a second hello without the share it asked for', () => {
    // The same hello again: its share is for the first group.
    const client = new TlsEngine(clientConfig({ groups: [0x0018, 0x001d] }))
    client.start()
    const hello = helloOf(client)
    const server = new TlsEngine(serverConfig({ groups: [0x001d] }))
    server.receive(EncryptionLevel.initial, hello)
    expect(() => server.receive(EncryptionLevel.initial, hello)).toThrow(expect.objectContaining({ wireCode: 0x100 + 47 }))
  })
})

describe('a client that gets a HelloRetryRequest', () => {
  it('changes nothing but the share', () => {
    const hellos: Uint8Array[] = []
    new Pair(clientConfig({ groups: [0x0018, 0x001d] }), serverConfig({ groups: [0x001d] }), (from, level, bytes) => {
      if (from === 'client' && level === EncryptionLevel.initial) hellos.push(bytes)
      return [bytes]
    }).run()
    const [first, second] = hellos.map((bytes) => decodeClientHello(bytes.subarray(4)))
    expect(first!.shares.map(({ group }) => group)).toEqual([0x0018])
    expect(second!.shares.map(({ group }) => group)).toEqual([0x001d])
    expect({ ...second, shares: [] }).toEqual({ ...first, shares: [] })
  })

  it('returns the cookie (RFC 9846 §4.3.2)', () => {
    const cookie = Uint8Array.of(9, 8, 7)
    const client = new TlsEngine(clientConfig())
    client.start()
    const first = decodeClientHello(helloOf(client).subarray(4))
    client.receive(EncryptionLevel.initial, retryWithCookie(cookie))
    const second = decodeClientHello(helloOf(client).subarray(4))
    expect(second.cookie).toEqual(cookie)
    expect(second.shares).toEqual(first.shares)
  })

  it('refuses one that asks for an unknown group, for the group it has sent, or for nothing', () => {
    expect(answerTo(encodeHelloRetryRequest(0x1301, 0x0018, null))).toBe('alert 47')
    expect(answerTo(encodeHelloRetryRequest(0x1301, 0x001d, null))).toBe('alert 47')
    expect(answerTo(encodeHelloRetryRequest(0x1301, 0x0017, null))).toBe('taken')
    expect(answerTo(retryWithCookie(null))).toBe('alert 47')
  })

  it('refuses a second one, and another suite after it', () => {
    const client = new TlsEngine(clientConfig({ groups: [0x001d, 0x0017] }))
    client.start()
    client.receive(EncryptionLevel.initial, encodeHelloRetryRequest(0x1301, 0x0017, null))
    expect(() => client.receive(EncryptionLevel.initial, encodeHelloRetryRequest(0x1301, 0x001d, null))).toThrow(
      expect.objectContaining({ wireCode: 0x100 + 10 }),
    )
    let seen = 0
    const changeSuite = rewrite('server', 2, (body) => {
      if (++seen === 2) body[36] = 0x03
      return body
    })
    expect(failureOf({ groups: [0x0018, 0x001d] }, { groups: [0x001d] }, changeSuite)).toBe('client: alert 47')
  })
})

describe('the cookie of a server (RFC 9846 §4.3.2)', () => {
  const keys = [new Uint8Array(32).fill(1)]
  const client = clientConfig({ groups: [0x0018, 0x001d] })
  const server = (cookieKeys: readonly Uint8Array[] = keys): TlsConfig => serverConfig({ groups: [0x001d], cookieKeys })

  /** The extensions of the second ClientHello as they leave the client are given to `change`. */
  function secondHello(change: (cookie: Uint8Array) => Uint8Array | null): Hand {
    let seen = 0
    return rewrite('client', 1, (body) => (++seen === 2 ? changeCookie(body, change) : body))
  }

  const failure = (hand: Hand): string => {
    const pair = new Pair(client, server(), hand).run()
    return `${pair.failedSide}: ${codeOf(pair.failure)}`
  }

  it('is given with keys, sealed, and different each time; it must come back as it was', () => {
    const cookies: string[] = []
    let seen = 0
    const look: Hand = rewrite('client', 1, (body) => {
      if (++seen % 2 === 0) changeCookie(body, (cookie) => (cookies.push(cookie.join()), cookie))
      return body
    })
    for (let i = 0; i < 2; i++) {
      const pair = new Pair(client, server(), look).run()
      expect(pair.failure).toBeNull()
      expect(pair.client.info()).toMatchObject({ helloRetry: true })
    }
    expect(cookies[0]!.length).toBeGreaterThan(0)
    expect(cookies[0]).not.toBe(cookies[1])
    expect(seen).toBe(4)
  })

  it('is missing_extension when it is missing, illegal_parameter when it was changed or is of another hello', () => {
    expect(failure(secondHello(() => null))).toBe('server: alert 109')
    expect(failure(secondHello((cookie) => cookie.with(30, cookie[30]! ^ 1)))).toBe('server: alert 47')
    expect(failure(secondHello((cookie) => cookie.slice(1)))).toBe('server: alert 47')
    expect(failure(secondHello(() => Uint8Array.of(1)))).toBe('server: alert 47')
    expect(failure(secondHello(() => new Uint8Array(0)))).toBe('server: alert 50')
    let foreign: Uint8Array = new Uint8Array(0)
    new Pair(client, server(), secondHello((cookie) => (foreign = cookie))).run()
    expect(failure(secondHello(() => foreign))).toBe('server: alert 47')
  })

  it('is one of TLS’s and of these keys: 32 bytes each', () => {
    for (const cookieKeys of [[], [new Uint8Array(16)]]) {
      expect(() => new TlsEngine(server(cookieKeys))).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    }
  })

  it('may not come where none was given', () => {
    let seen = 0
    const hand = rewrite('client', 1, (body) => (++seen === 2 ? changeCookie(body, () => Uint8Array.of(7)) : body))
    const pair = new Pair(client, serverConfig({ groups: [0x001d] }), hand).run()
    expect(`${pair.failedSide}: ${codeOf(pair.failure)}`).toBe('server: alert 47')
  })

  it('is not asked for twice: the name may not change between the hellos', () => {
    let seen = 0
    const hand = rewrite('client', 1, (body) => {
      const at = body.findIndex((_, i) => i < body.length - 8 && String.fromCharCode(...body.subarray(i, i + 9)) === 'localhost')
      return ++seen === 2 ? body.with(at, 0x6d) : body
    })
    const pair = new Pair(client, serverConfig({ groups: [0x001d] }), hand).run()
    expect(`${pair.failedSide}: ${codeOf(pair.failure)}`).toBe('server: alert 47')
  })
})

/** A ClientHello's body with its cookie changed (null: taken out), or with one added. */
function changeCookie(body: Uint8Array, change: (cookie: Uint8Array) => Uint8Array | null): Uint8Array {
  const start = 37 + ((body[35]! << 8) | body[36]!) + 2
  const parts: Uint8Array[] = []
  let cookie: Uint8Array = new Uint8Array(0)
  for (let i = start + 2; i < body.length; ) {
    const length = (body[i + 2]! << 8) | body[i + 3]!
    if (body[i] === 0 && body[i + 1] === 44) cookie = body.slice(i + 6, i + 4 + length)
    else parts.push(body.slice(i, i + 4 + length))
    i += 4 + length
  }
  const changed = change(cookie)
  if (changed !== null) {
    const length = changed.length
    parts.push(Uint8Array.of(0, 44, (length + 2) >> 8, (length + 2) & 255, length >> 8, length & 255), changed)
  }
  const block = concatBytes(...parts)
  return concatBytes(body.subarray(0, start), Uint8Array.of(block.length >> 8, block.length & 255), block)
}

function retryWithCookie(cookie: Uint8Array | null): Uint8Array {
  const plain = encodeHelloRetryRequest(0x1301, 0x0017, null)
  return message(2, (writer) => {
    writer.bytes(plain.subarray(4, 4 + 2 + 32 + 1 + 2 + 1))
    const extensions = writer.begin(2)
    writer.bytes(Uint8Array.of(0, 43, 0, 2, 3, 4))
    if (cookie !== null) {
      writer.u16(44)
      const body = writer.begin(2)
      writer.vector16(cookie)
      writer.end(body, 2)
    }
    writer.end(extensions, 2)
  })
}
