// Every extension of every message of a handshake: missing, twice, cut short, too long, and where it may not stand. RFC 9846 §4.3,
// §9.2; RFC 9001 §8.1, §8.2. The tables are written out by hand, apart from the registry.

import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/base/bytes.ts'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { ServerTickets } from '../../../src/tls/resumption/server-tickets.ts'
import { MemorySessionStore } from '../../../src/tls/resumption/session-store.ts'
import { EncryptionLevel } from '../../../src/wire/constants.ts'
import { clientHello, encryptedExtensions, serverHello } from '../extension-blocks.ts'
import { adding, changeExtensions, without, type Change } from '../hello-extensions.ts'
import { clientConfig, codeOf, failureOf, Pair, reframe, rewrite, serverConfig, type Hand } from '../handshake.ts'

const EMPTY = new Uint8Array(0)
/** Everything a client of ours can ask for, and a server that answers. */
const CLIENT = { groups: [0x001d], statusRequest: true, certificateTimestamps: true, grease: true } as const

const twice = (type: number): Change => (list) => [...list, ...list.filter(([entry]) => entry === type)]
const shorter = (type: number): Change => (list) =>
  list.map(([entry, body]) => [entry, entry === type ? body.subarray(0, body.length - 1) : body] as const)
const longer = (type: number): Change => (list) =>
  list.map(([entry, body]) => [entry, entry === type ? concatBytes(body, Uint8Array.of(0)) : body] as const)

/** Every type with a name, and where Table 1 of §4.3 (or the extension's own standard) has it. */
const SITES: readonly (readonly [type: number, messages: string])[] = [
  [0, 'CH EE CR'],
  [1, ''],
  [5, 'CH CR CT'],
  [10, 'CH EE'],
  [13, 'CH CR'],
  [14, 'CH EE'],
  [15, 'CH EE'],
  [16, 'CH EE'],
  [18, 'CH CR CT'],
  [19, 'CH EE'],
  [20, 'CH EE'],
  [21, 'CH'],
  [27, 'CH CR'],
  [28, 'CH EE'],
  [34, 'CH CR CT'],
  [41, 'CH SH'],
  [42, 'CH EE NST'],
  [43, 'CH SH HRR'],
  [44, 'CH HRR'],
  [45, 'CH'],
  [47, 'CH CR'],
  [48, 'CR'],
  [49, 'CH'],
  [50, 'CH CR'],
  [51, 'CH SH HRR'],
  [57, 'CH EE'],
  [58, 'CH EE'],
  [0xfe0d, 'CH HRR EE'],
]

/** One hand per message that carries extensions: what it does to their list. */
const HANDS: Readonly<Record<string, (change: Change) => Hand>> = {
  CH: clientHello,
  SH: serverHello,
  HRR: serverHello,
  EE: encryptedExtensions,
  CR: (change) => rewrite('server', 13, (body) => changeExtensions(body, 1, change)),
  CT: (change) => rewrite('server', 11, (body) => withLeafExtensions(body, change)),
}

/** A Certificate whose first entry has other extensions. */
function withLeafExtensions(body: Uint8Array, change: Change): Uint8Array {
  const length = (body[4]! << 16) | (body[5]! << 8) | body[6]!
  const at = 7 + length
  const size = (body[at]! << 8) | body[at + 1]!
  const changed = changeExtensions(body.subarray(4, at + 2 + size), 3 + length, change)
  const list = concatBytes(changed, body.subarray(at + 2 + size))
  return concatBytes(Uint8Array.of(0, list.length >> 16, (list.length >> 8) & 255, list.length & 255), list)
}

const failing = (message: string, change: Change): string => {
  const clientAuthentication = { verify: { mode: 'insecure' } } as const
  const client = message === 'HRR' ? { ...CLIENT, groups: [0x0018, 0x001d] as const } : CLIENT
  return failureOf(client, { groups: [0x001d], clientAuthentication }, HANDS[message]!(change))
}

describe('a known extension in a message it may not stand in', () => {
  for (const message of Object.keys(HANDS)) {
    it(`${message}: illegal_parameter`, () => {
      const side = message === 'CH' ? 'server' : 'client'
      for (const [type, sites] of SITES) {
        if (type === 1 || sites.split(' ').includes(message)) continue
        expect(`${type}: ${failing(message, adding([type, EMPTY]))}`).toBe(`${type}: ${side}: alert 47`)
      }
    })
  }

  it('NST: illegal_parameter', () => {
    const pair = (): Pair => new Pair(clientConfig({ groups: [0x001d] }), serverConfig()).run()
    for (const [type, sites] of SITES) {
      if (type === 1 || sites.includes('NST')) continue
      const ticket = Uint8Array.of(0, 0, 1, 0, 1, 2, 3, 4, 1, 5, 0, 2, 6, 7, 0, 4, type >> 8, type & 255, 0, 0)
      let failure: unknown = null
      try {
        pair().client.receive(EncryptionLevel.application, reframe(4, ticket))
      } catch (error) {
        failure = error
      }
      expect(`${type}: ${codeOf(failure)}`).toBe(`${type}: alert 47`)
    }
  })
})

describe('an extension that answers nothing', () => {
  it('is unsupported_extension in SH, HRR, EE and CT, and passed over in CH and CR', () => {
    for (const message of ['SH', 'HRR', 'EE', 'CT']) {
      expect(`${message} ${failing(message, adding([0x5a5b, EMPTY]))}`).toBe(`${message} client: alert 110`)
    }
    // Passed over, it is the transcript that differs.
    for (const message of ['CH', 'CR']) expect(failing(message, adding([0x5a5b, EMPTY]))).toBe('client: alert 51')
    // Legal in the message, but this client did not ask.
    expect(failing('EE', adding([58, EMPTY]))).toBe('client: alert 110')
    expect(failing('EE', adding([42, EMPTY]))).toBe('client: alert 110')
    expect(failing('CT', adding([34, EMPTY]))).toBe('client: alert 110')
  })
})

/** The extensions of each message of this handshake, and what happens without them; null: nothing but another transcript. */
const PRESENT: readonly (readonly [message: string, type: number, missing: number | null])[] = [
  ['CH', 0, null],
  ['CH', 5, null],
  ['CH', 10, 109],
  ['CH', 13, 109],
  ['CH', 16, 120],
  ['CH', 18, null],
  ['CH', 27, null],
  ['CH', 43, 70],
  ['CH', 50, null],
  ['CH', 51, 109],
  ['CH', 57, 109],
  ['CH', 0xfe0d, null],
  ['SH', 43, 70],
  ['SH', 51, 109],
  ['HRR', 43, 70],
  ['EE', 0, null],
  ['EE', 16, 120],
  ['EE', 57, 109],
  ['CR', 13, 109],
  ['CR', 27, null],
  ['CR', 50, null],
]

/** Bodies that are nobody's business here, so that any form of them will do: other fields than ours, or the owner's. */
const OPAQUE = new Set(['CH 50', 'CH 57', 'CH 65037', 'EE 57'])

describe('the extensions of a handshake', () => {
  it.each(PRESENT)('%s without %i', (message, type, missing) => {
    const side = message === 'CH' && missing !== null ? 'server' : 'client'
    const outcome = failing(message, without(type))
    // A server without a name to go by sends what it has; the client sees another transcript.
    expect(outcome).toBe(`${side}: alert ${missing ?? 51}`)
  })

  it.each(PRESENT)('%s with %i twice: illegal_parameter', (message, type) => {
    expect(failing(message, twice(type))).toBe(`${message === 'CH' ? 'server' : 'client'}: alert 47`)
  })

  it.each(PRESENT)('%s with %i cut short or too long: decode_error', (message, type) => {
    const side = message === 'CH' ? 'server' : 'client'
    const expected = OPAQUE.has(`${message} ${type}`) ? 'client: alert 51' : `${side}: alert 50`
    expect(failing(message, longer(type))).toBe(expected)
    // An empty body is not made shorter.
    if ((message === 'CH' && type === 18) || (message === 'EE' && type === 0)) return
    expect(failing(message, shorter(type))).toBe(expected)
  })

  it('key_share, supported_versions and early_data in a HelloRetryRequest and a resumption', () => {
    expect(failing('HRR', without(51))).toBe('client: alert 47')
    expect(failing('HRR', longer(51))).toBe('client: alert 50')
    const sessions = new MemorySessionStore()
    const tickets = new ServerTickets(nodeProvider)
    const resumed = (change: Change): string => {
      new Pair(clientConfig({ groups: [0x001d], sessions }), serverConfig({ tickets })).run()
      return failureOf({ groups: [0x001d], sessions }, { tickets }, serverHello(change))
    }
    expect(resumed(shorter(41))).toBe('client: alert 50')
    expect(resumed(longer(41))).toBe('client: alert 50')
    expect(resumed(twice(41))).toBe('client: alert 47')
  })
})
