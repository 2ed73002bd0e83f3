// Retry as a client sees it (RFC 9000 §17.2.5, §7.3, RFC 9001 §5.8).

import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import type { Connection } from '../../src/connection/connection.ts'
import { retryIntegrityTag } from '../../src/crypto/retry-integrity.ts'
import { TransportErrorCode } from '../../src/wire/constants.ts'
import { HeaderView, parseHeader } from '../../src/wire/header.ts'
import { encodeRetry } from '../../src/wire/retry.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { CLIENT, Pair, SERVER } from './pair.ts'

const RETRY_SOURCE = new Uint8Array(10).fill(0x77)
const TOKEN = new Uint8Array(40).fill(0x88)

function retry(client: Connection, source: Uint8Array = RETRY_SOURCE, token: Uint8Array = TOKEN): Uint8Array {
  const odcid = client.originalDestinationConnectionId
  const packet = encodeRetry(1, client.sourceConnectionIds()[0]!, source, token)
  return concatBytes(packet, retryIntegrityTag(provider, 1, odcid, packet))
}

interface Seen {
  readonly destination: Uint8Array
  readonly token: Uint8Array
  readonly size: number
}

/** A client alone with what the test answers; `seen` are its Initial packets. */
function alone(): { pair: Pair; client: Connection; seen: Seen[]; answer: (datagram: Uint8Array) => void } {
  const pair = new Pair()
  const seen: Seen[] = []
  const view = new HeaderView()
  pair.network.setFilter((bytes, from) => {
    if (from === CLIENT) {
      parseHeader(view, bytes, 0, bytes.length, 8)
      seen.push({ destination: view.destination().slice(), token: view.token().slice(), size: bytes.length })
    }
    return null
  })
  pair.network.turnAll()
  return {
    pair,
    client: pair.client.connection,
    seen,
    answer: (datagram) => {
      pair.network.inject(datagram, SERVER, CLIENT)
      pair.network.runFor(1)
    },
  }
}

describe('Retry on a client (RFC 9000 §17.2.5)', () => {
  it('repeats its first flight at once, with token, new destination and 1200 bytes', () => {
    const { client, seen, answer } = alone()
    expect(seen).toHaveLength(1)
    answer(retry(client))
    expect(seen.length).toBeGreaterThan(1)
    expect(seen[1]!.destination).toEqual(RETRY_SOURCE)
    expect(seen[1]!.token).toEqual(TOKEN)
    expect(seen[1]!.size).toBe(1200)
  })

  it('uses Initial keys of the new destination (RFC 9001 §5.2): a server that took the Retry for its own understands it', () => {
    const { pair, client, answer } = alone()
    answer(retry(client))
    // The server knows nothing of a Retry: it takes the packet for a first one, and its transport parameters cannot be right.
    pair.network.setFilter(null)
    pair.network.run(() => client.closeReason() !== null)
    expect(client.closeReason()).toMatchObject({ cause: 'local', code: TransportErrorCode.transportParameterError })
    expect(pair.servers).toHaveLength(1)
  })

  it('goes on counting its packet numbers (§17.2.5.3)', () => {
    const { pair, client, answer } = alone()
    const sent = client.stats().packetsSent
    answer(retry(client))
    expect(client.stats().packetsSent).toBe(sent + 1)
    pair.network.runFor(2000)
    expect(client.stats().packetsSent).toBeGreaterThan(sent + 1)
  })

  const bad: [string, (client: Connection) => Uint8Array][] = [
    ['a wrong integrity tag', (client) => retry(client).map((byte, i, all) => (i === all.length - 1 ? byte ^ 1 : byte))],
    ['a changed token', (client) => retry(client).map((byte, i) => (i === 30 ? byte ^ 1 : byte))],
    ['an empty token', (client) => retry(client, RETRY_SOURCE, new Uint8Array(0))],
    ['the source connection ID that the client had chosen itself', (client) => retry(client, client.originalDestinationConnectionId)],
    ['a cut end', (client) => retry(client).subarray(0, 20)],
  ]
  for (const [name, make] of bad) {
    it(`ignores one with ${name} (§17.2.5.1, §17.2.5.2)`, () => {
      const { pair, client, seen, answer } = alone()
      answer(make(client))
      expect(seen).toHaveLength(1)
      pair.network.runFor(1500)
      for (const packet of seen) expect(packet.token).toHaveLength(0)
    })
  }

  it('follows only the first one (§17.2.5.2)', () => {
    const { client, seen, answer } = alone()
    answer(retry(client))
    const after = seen.length
    answer(retry(client, new Uint8Array(8).fill(0x99), new Uint8Array(5).fill(1)))
    expect(seen).toHaveLength(after)
  })

  it('is ignored once a server packet was processed (§17.2.5.2)', () => {
    const pair = new Pair()
    pair.network.run(() => pair.client.connection.stats().packetsReceived > 0)
    pair.network.inject(retry(pair.client.connection), SERVER, CLIENT)
    pair.establish()
  })

  it('is nothing to a server', () => {
    const pair = new Pair().establish()
    pair.network.inject(retry(pair.client.connection), CLIENT, SERVER)
    pair.network.runFor(100)
    expect(pair.server.connection.isEstablished()).toBe(true)
  })

  it('a token that leaves no room in a packet does no harm: the handshake times out', () => {
    const { pair, client, answer } = alone()
    answer(retry(client, RETRY_SOURCE, new Uint8Array(1150)))
    pair.network.runFor(20_000)
    expect(client.closeReason()).toMatchObject({ cause: 'handshake-timeout' })
    expect(client.isClosed()).toBe(true)
  })
})
