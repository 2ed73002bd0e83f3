// Which extension may stand where. RFC 9846 §4.3, Table 1.

import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/base/bytes.ts'
import { open } from '../../../src/tls/codec/block.ts'
import { ExtensionSite, readExtensions } from '../../../src/tls/extensions/registry.ts'
import { codeOf } from '../handshake.ts'

function block(...types: number[]): Uint8Array {
  const entries = types.map((type) => Uint8Array.of(type >> 8, type & 255, 0, 1, 7))
  return concatBytes(Uint8Array.of((5 * types.length) >> 8, (5 * types.length) & 255), ...entries)
}

function outcome(bytes: Uint8Array, site: ExtensionSite, asked: readonly number[] = []): string {
  try {
    return `types ${readExtensions(open(bytes), site, asked, 'it').types.join()}`
  } catch (error) {
    return codeOf(error)
  }
}

const { clientHello, serverHello, helloRetryRequest, encryptedExtensions } = ExtensionSite
const { certificate, certificateRequest, newSessionTicket } = ExtensionSite
const ANSWERS = [serverHello, helloRetryRequest, encryptedExtensions, certificate]
const REQUESTS = [clientHello, certificateRequest, newSessionTicket]
const SITES = [...ANSWERS, ...REQUESTS]

// The rows of Table 1 that matter to QUIC, written again by hand.
const TABLE: readonly (readonly [type: number, sites: readonly ExtensionSite[]])[] = [
  [0, [clientHello, encryptedExtensions, certificateRequest]],
  [5, [clientHello, certificateRequest, certificate]],
  [10, [clientHello, encryptedExtensions]],
  [13, [clientHello, certificateRequest]],
  [16, [clientHello, encryptedExtensions]],
  [41, [clientHello, serverHello]],
  [42, [clientHello, encryptedExtensions, newSessionTicket]],
  [43, [clientHello, serverHello, helloRetryRequest]],
  [44, [clientHello, helloRetryRequest]],
  [45, [clientHello]],
  [47, [clientHello, certificateRequest]],
  [48, [certificateRequest]],
  [49, [clientHello]],
  [50, [clientHello, certificateRequest]],
  [51, [clientHello, serverHello, helloRetryRequest]],
  [57, [clientHello, encryptedExtensions]],
]

describe('readExtensions', () => {
  it('takes each known type in its messages and calls it illegal_parameter in the others', () => {
    for (const [type, sites] of TABLE) {
      for (const site of SITES) {
        const expected = sites.includes(site) ? `types ${type}` : 'alert 47'
        expect(`${type} in ${site}: ${outcome(block(type), site, [type])}`).toBe(`${type} in ${site}: ${expected}`)
      }
    }
  })

  it('refuses answers nobody asked for with unsupported_extension, but for the cookie', () => {
    for (const site of ANSWERS) expect(outcome(block(0x0a0a), site)).toBe('alert 110')
    expect(outcome(block(43), serverHello)).toBe('alert 110')
    expect(outcome(block(44), helloRetryRequest)).toBe('types 44')
  })

  it('skips unknown types in requests', () => {
    for (const site of REQUESTS) expect(outcome(block(0x0a0a, 0xfafa), site)).toBe('types 2570,64250')
  })

  it('refuses a type twice, blocks cut short and blocks beyond reason', () => {
    expect(outcome(block(0x0a0a, 0x0a0a), clientHello)).toBe('alert 47')
    const good = block(16, 57)
    // Whether something follows the block is for the message to say.
    for (let length = 2; length < good.length; length++) {
      const cut = good.slice(0, length)
      cut.set([0, length - 2])
      expect(outcome(cut, clientHello)).toBe(length === 2 ? 'types ' : length === 7 ? 'types 16' : 'alert 50')
    }
    expect(outcome(block(...Array.from({ length: 300 }, (_, i) => 1000 + i)), clientHello)).toBe('alert 50')
  })
})
