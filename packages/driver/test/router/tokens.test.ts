// Address validation tokens as the listener uses them. They are sealed (AES-GCM, with address, version, time and purpose bound), not only
// authenticated, and expire.

import { describe, expect, it } from 'vitest'
import { AddressTokens } from '../../../quic/src/endpoint/tokens.ts'
import { HeaderView, parseHeader } from '../../../quic/src/wire/header.ts'
import { nodeProvider } from '@quicwire/quic/crypto-node'

const PEERS = ['192.0.2.1:4433', '[2001:db8::1]:4433']
const ODCID = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
const RETRY_SOURCE = Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9)
const NOW = 1_000_000
const tokens = new AddressTokens(nodeProvider, [new Uint8Array(32).fill(5)], { retry: 15_000, newToken: 60_000 })

/** The header of an Initial packet that brings this token. */
function initialWith(token: Uint8Array): HeaderView {
  const packet = new Uint8Array(1200)
  const head = [0xc0, 0, 0, 0, 1, RETRY_SOURCE.length, ...RETRY_SOURCE, 0, 0x40 | (token.length >> 8), token.length & 0xff, ...token, 0x44, 0]
  packet.set(head)
  const view = new HeaderView()
  parseHeader(view, packet, 0, packet.length, 8, true)
  return view
}

function judge(token: Uint8Array, from: string, now: number = NOW): string {
  return tokens.judge(initialWith(token), from, now).kind
}

describe('tokens', () => {
  it('[52] token generate: nothing of the address or connection ID is to be seen in one (fixed: sealed)', () => {
    for (const peer of PEERS) {
      const token = tokens.sealRetry(peer, 1, ODCID, RETRY_SOURCE, NOW)
      expect(token.length).toBeGreaterThan(ODCID.length + 16)
      expect(Buffer.from(token).includes(ODCID)).toBe(false)
      expect(Buffer.from(tokens.sealRetry(peer, 1, ODCID, RETRY_SOURCE, NOW))).not.toEqual(Buffer.from(token))
    }
  })

  it('[53] token validate: the original connection ID comes back', () => {
    for (const peer of PEERS) {
      const token = tokens.sealRetry(peer, 1, ODCID, RETRY_SOURCE, NOW)
      expect(tokens.judge(initialWith(token), peer, NOW)).toEqual({ kind: 'retry', originalDestinationConnectionId: ODCID })
    }
  })

  it('[54] token validate_err_short_token: cut to any length', () => {
    for (const peer of PEERS) {
      const token = tokens.sealRetry(peer, 1, ODCID, RETRY_SOURCE, NOW)
      for (let length = 0; length < token.length; length++) expect(judge(token.subarray(0, length), peer)).not.toBe('retry')
    }
  })

  it('[55] token validate_err_ips_mismatch: of another address, and of another time', () => {
    for (const peer of PEERS) {
      const token = tokens.sealRetry(peer, 1, ODCID, RETRY_SOURCE, NOW)
      expect(judge(token, '192.0.2.2:4433')).toBe('invalid-retry')
      expect(judge(token, peer, NOW + 15_000)).toBe('invalid-retry')
    }
  })

  it('[56] token validate_err_invalid_signature: whichever bit is changed', () => {
    const token = tokens.sealRetry(PEERS[0]!, 1, ODCID, RETRY_SOURCE, NOW)
    for (let at = 0; at < token.length; at++) {
      const broken = token.slice()
      broken[at]! ^= 1
      expect(judge(broken, PEERS[0]!)).not.toBe('retry')
    }
  })
})
