// GREASE ECH: RFC 9849 §5, §6.2.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { open, vector16 } from '../../../src/tls/codec/block.ts'
import { GREASE_ECH_RANDOM_LENGTH, greaseEncryptedHello } from '../../../src/tls/extensions/encrypted-client-hello.ts'
import { clientHello, encryptedExtensions, serverHello } from '../extension-blocks.ts'
import { adding } from '../hello-extensions.ts'
import { clientConfig, failureOf, Pair, serverConfig } from '../handshake.ts'

const ECH = 0xfe0d

/** The body as §5 has it for an outer hello; throws what is not of this form. */
function decode(body: Uint8Array): { kdf: number; aead: number; id: number; key: number; payload: number } {
  const reader = open(body)
  expect(reader.u8()).toBe(0)
  const [kdf, aead, id] = [reader.u16(), reader.u16(), reader.u8()]
  const [key, payload] = [vector16(reader), vector16(reader)]
  expect([reader.failed, reader.remaining]).toEqual([false, 0])
  return { kdf, aead, id, key: key.length, payload: payload.length }
}

function echBodies(changes: Parameters<typeof clientConfig>[0]): Uint8Array[] {
  const bodies: Uint8Array[] = []
  new Pair(clientConfig(changes), serverConfig({ groups: [0x001d] }), (from, level, bytes) => {
    if (from === 'client' && level === 0) {
      clientHello((list) => {
        bodies.push(...list.filter(([type]) => type === ECH).map(([, body]) => body))
        return list
      })(from, level, bytes)
    }
    return [bytes]
  }).run()
  return bodies
}

describe('greaseEncryptedHello', () => {
  it('has the form of an encrypted hello, with sizes such a one has', () => {
    const sizes = new Set<number>()
    for (let size = 0; size < 256; size++) {
      const random = new Uint8Array(GREASE_ECH_RANDOM_LENGTH).fill(size)
      const { payload, ...rest } = decode(greaseEncryptedHello(random))
      expect(rest).toEqual({ kdf: 1, aead: 1, id: size, key: 32 })
      sizes.add(payload)
    }
    // A padded hello is a multiple of 32 bytes, and has a tag of 16.
    expect([...sizes].toSorted((a, b) => a - b)).toEqual([144, 176, 208, 240])
  })
})

describe('a client', () => {
  it('sends one with GREASE, another each time, and the same again after a HelloRetryRequest (§6.2)', () => {
    const first = echBodies({ grease: true, groups: [0x001d] })
    const second = echBodies({ grease: true, groups: [0x001d] })
    expect([first.length, second.length]).toEqual([1, 1])
    expect(first).not.toEqual(second)
    const retried = echBodies({ grease: true, groups: [0x0018, 0x001d] })
    expect(retried).toHaveLength(2)
    expect(retried[0]).toEqual(retried[1])
    expect(echBodies({ grease: false, groups: [0x001d] })).toEqual([])
  })

  const client = { grease: true, groups: [0x001d] } as const
  const retrying = { grease: true, groups: [0x0018, 0x001d] } as const

  it('checks the form of the answers and does nothing else with them', () => {
    const configurations = Uint8Array.of(0, 6, 0xfe, 0x0d, 0, 2, 1, 2)
    expect(failureOf(client, {}, encryptedExtensions(adding([ECH, configurations])))).toBe('client: alert 51')
    for (const bad of [[], [0, 0], [0, 6, 0xfe, 0x0d, 0, 3, 1, 2], [0, 6, 0xfe, 0x0d, 0, 2, 1, 2, 9]]) {
      expect(failureOf(client, {}, encryptedExtensions(adding([ECH, Uint8Array.from(bad)])))).toBe('client: alert 50')
    }
    const server = { groups: [0x001d] as const }
    expect(failureOf(retrying, server, serverHello((list) => (list.length === 2 && list[1]![1].length === 2 ? [...list, [ECH, new Uint8Array(8)]] : list)))).toBe(
      'client: alert 51',
    )
    expect(failureOf(retrying, server, serverHello(adding([ECH, new Uint8Array(7)])))).toBe('client: alert 50')
  })

  it('did not ask without GREASE, and never takes it in a ServerHello', () => {
    expect(failureOf({ ...client, grease: false }, {}, encryptedExtensions(adding([ECH, Uint8Array.of(0, 0)])))).toBe('client: alert 110')
    expect(failureOf(client, {}, serverHello(adding([ECH, new Uint8Array(8)])))).toBe('client: alert 47')
  })
})

describe('a server', () => {
  it('passes over encrypted_client_hello in any form: inner, outer, or none', () => {
    for (const body of [[], [1], [0, 0, 1], [7, 7, 7]]) {
      const hand = clientHello(adding([ECH, Uint8Array.from(body)]))
      expect(failureOf({ groups: [0x001d] }, { provider: nodeProvider }, hand)).toBe('client: alert 51')
    }
  })
})
