// The key phase machine of RFC 9001 §6, between two endpoints that hold each other's secrets.

import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { OneRttKeys, OpenResult } from '../../src/crypto/one-rtt-keys.ts'
import { CipherSuite } from '../../src/crypto/provider.ts'
import { providerUnderTest as provider } from './provider-under-test.ts'

const SUITE = CipherSuite.aes128GcmSha256
const CLIENT_SECRET = new Uint8Array(32).fill(1)
const SERVER_SECRET = new Uint8Array(32).fill(2)
const { ok, failed, keyUpdateError } = OpenResult

class Side {
  readonly keys: OneRttKeys
  private next = 0

  constructor(readSecret: Uint8Array, writeSecret: Uint8Array) {
    this.keys = new OneRttKeys(provider, SUITE, readSecret, writeSecret)
  }

  /** One protected packet; the number goes in four bytes. */
  send(packetNumber: number = this.next): Packet {
    this.next = Math.max(this.next, packetNumber + 1)
    const bytes = new Uint8Array(40)
    bytes[0] = 0x43 | (this.keys.keyPhase << 2)
    new DataView(bytes.buffer).setUint32(1, packetNumber)
    bytes.fill(0x01, 5, 24)
    if (this.keys.protect(bytes, 0, 1, 4, 24, packetNumber) !== 40) throw new Error('the packet has another length')
    return { bytes, packetNumber }
  }

  receive({ bytes }: Packet): OpenResult {
    const copy = bytes.slice()
    const packetNumber = this.keys.unprotectHeader(copy, 0, 1, copy.length)
    const result = this.keys.open(copy, 0, 5, copy.length, packetNumber)
    if (result === ok && copy.subarray(5, 24).some((byte) => byte !== 0x01)) throw new Error('opened to another payload')
    return result
  }

  generations(): [number, number] {
    return [this.keys.readGeneration, this.keys.writeGeneration]
  }
}

interface Packet {
  bytes: Uint8Array
  packetNumber: number
}

function pair(): { client: Side; server: Side } {
  return { client: new Side(SERVER_SECRET, CLIENT_SECRET), server: new Side(CLIENT_SECRET, SERVER_SECRET) }
}

/** A packet each way, each acknowledged in the answer. */
function exchange(from: Side, to: Side): void {
  const there = from.send()
  expect(to.receive(there)).toBe(ok)
  const back = to.send()
  expect(from.receive(back)).toBe(ok)
  expect(from.keys.onAcked(there.packetNumber)).toBe(ok)
  const last = from.send()
  expect(to.receive(last)).toBe(ok)
  expect(to.keys.onAcked(back.packetNumber)).toBe(ok)
}

describe('OneRttKeys (RFC 9001 §6)', () => {
  it('takes its secrets one at a time', () => {
    const keys = new OneRttKeys(provider, SUITE)
    expect([keys.canRead(), keys.canWrite()]).toEqual([false, false])
    expect(() => keys.open(new Uint8Array(40), 0, 5, 40, 0)).toThrow(/read keys/)
    expect(() => keys.protect(new Uint8Array(40), 0, 1, 4, 24, 0)).toThrow(/write keys/)
    keys.setWrite(CLIENT_SECRET)
    expect([keys.canRead(), keys.canWrite()]).toEqual([false, true])
    keys.setRead(SERVER_SECRET)
    expect([keys.canRead(), keys.canWrite()]).toEqual([true, true])
    expect(() => keys.setRead(SERVER_SECRET)).toThrow(/twice/)
  })

  it('§6.1: permits an update only once the current phase is acknowledged', () => {
    const { client, server } = pair()
    expect(client.keys.initiateUpdate()).toBe(false)
    const packet = client.send(10)
    expect(server.receive(packet)).toBe(ok)
    expect(client.receive(server.send())).toBe(ok)
    expect(client.keys.onAcked(9)).toBe(ok)
    expect(client.keys.canInitiateUpdate()).toBe(false)
    expect(client.keys.onAcked(10)).toBe(ok)
    expect(client.keys.initiateUpdate()).toBe(true)
    expect(client.keys.keyPhase).toBe(1)
    expect(client.keys.initiateUpdate()).toBe(false)
  })

  it('§6.2: answers an update of the peer, again and again', () => {
    const { client, server } = pair()
    for (let generation = 1; generation <= 5; generation++) {
      const [initiator, responder] = generation % 2 === 1 ? [client, server] : [server, client]
      exchange(initiator, responder)
      expect(initiator.keys.initiateUpdate()).toBe(true)
      expect(initiator.generations()).toEqual([generation - 1, generation])
      expect(responder.receive(initiator.send())).toBe(ok)
      expect(responder.generations()).toEqual([generation, generation])
      expect(responder.keys.keyPhase).toBe(generation & 1)
      expect(initiator.receive(responder.send())).toBe(ok)
      expect(initiator.generations()).toEqual([generation, generation])
    }
    exchange(client, server)
  })

  it('does not take its own initiation for the peer\'s answer', () => {
    const { client, server } = pair()
    exchange(client, server)
    client.keys.initiateUpdate()
    // The server has not seen it yet and goes on in the old phase.
    expect(client.receive(server.send())).toBe(ok)
    expect(client.generations()).toEqual([0, 1])
  })

  it('survives both sides initiating at once', () => {
    const { client, server } = pair()
    exchange(client, server)
    exchange(server, client)
    expect(client.keys.initiateUpdate()).toBe(true)
    expect(server.keys.initiateUpdate()).toBe(true)
    const fromClient = client.send()
    const fromServer = server.send()
    expect(client.receive(fromServer)).toBe(ok)
    expect(server.receive(fromClient)).toBe(ok)
    expect(client.generations()).toEqual([1, 1])
    expect(server.generations()).toEqual([1, 1])
    exchange(client, server)
    expect(client.keys.initiateUpdate()).toBe(true)
    expect(server.receive(client.send())).toBe(ok)
    expect(server.generations()).toEqual([2, 2])
  })

  it('§6.5: opens late packets of the previous phase until those keys are discarded', () => {
    const { client, server } = pair()
    exchange(client, server)
    const late = client.send()
    const later = client.send()
    client.keys.initiateUpdate()
    expect(server.receive(client.send())).toBe(ok)
    expect(server.keys.hasPrevious()).toBe(true)
    expect(server.receive(late)).toBe(ok)
    expect(server.generations()).toEqual([1, 1])
    server.keys.discardPrevious()
    expect(server.keys.hasPrevious()).toBe(false)
    expect(server.receive(later)).toBe(failed)
    expect(server.keys.failedPackets).toBe(1)
    expect(server.receive(client.send())).toBe(ok)
  })

  it('follows an update when no packet of the old phase ever arrived, and still opens those', () => {
    const { client, server } = pair()
    const late = client.send()
    exchange(server, client)
    // The server heard nothing until here: a fresh one with the same secrets stands in for it.
    const deaf = new Side(CLIENT_SECRET, SERVER_SECRET)
    client.keys.onAcked(late.packetNumber)
    expect(client.keys.initiateUpdate()).toBe(true)
    expect(deaf.receive(client.send())).toBe(ok)
    expect(deaf.generations()).toEqual([1, 1])
    expect(deaf.receive(late)).toBe(ok)
  })

  it('a forged Key Phase bit moves nothing', () => {
    const { client, server } = pair()
    exchange(client, server)
    const forged = client.send()
    // The mask bit of the Key Phase is an xor: flipping it on the wire flips it under the protection.
    forged.bytes[0] = forged.bytes[0]! ^ 0x04
    expect(server.receive(forged)).toBe(failed)
    expect(server.generations()).toEqual([0, 0])
    expect(server.keys.failedPackets).toBe(1)
    expect(server.receive(client.send())).toBe(ok)
  })

  it('§6.4: old keys above a packet number with newer ones are a KEY_UPDATE_ERROR', () => {
    const { client, server } = pair()
    exchange(client, server)
    const outOfOrder = client.send(60)
    client.keys.initiateUpdate()
    expect(server.receive(client.send(50))).toBe(ok)
    expect(server.receive(outOfOrder)).toBe(keyUpdateError)
  })

  it('§6.4: newer keys below a packet number with older ones are a KEY_UPDATE_ERROR', () => {
    const { client, server } = pair()
    exchange(client, server)
    expect(server.receive(client.send(60))).toBe(ok)
    client.keys.initiateUpdate()
    expect(server.receive(client.send(50))).toBe(keyUpdateError)
  })

  it('§6.4: newer keys below every packet number of the first phase are a KEY_UPDATE_ERROR', () => {
    const { client } = pair()
    const server = new Side(CLIENT_SECRET, SERVER_SECRET)
    expect(server.receive(client.send(60))).toBe(ok)
    client.keys.onAcked(60)
    expect(client.keys.initiateUpdate()).toBe(true)
    expect(server.receive(client.send(50))).toBe(keyUpdateError)
  })

  it('§6.2: a second update before we sent anything is a KEY_UPDATE_ERROR', () => {
    const { client, server } = pair()
    exchange(client, server)
    client.keys.initiateUpdate()
    const first = client.send()
    expect(server.receive(first)).toBe(ok)
    // A client that does not wait: it makes itself believe that the server has answered.
    const spare = new Side(CLIENT_SECRET, SERVER_SECRET)
    expect(spare.receive(first)).toBe(ok)
    expect(client.receive(spare.send())).toBe(ok)
    expect(client.keys.onAcked(first.packetNumber)).toBe(ok)
    expect(client.keys.initiateUpdate()).toBe(true)
    expect(server.receive(client.send())).toBe(keyUpdateError)
  })

  it('§6.2: an acknowledgement of new keys under old ones is a KEY_UPDATE_ERROR', () => {
    const { client, server } = pair()
    exchange(client, server)
    client.keys.initiateUpdate()
    const updated = client.send()
    expect(client.receive(server.send())).toBe(ok)
    expect(client.keys.onAcked(updated.packetNumber - 1)).toBe(ok)
    expect(client.keys.onAcked(updated.packetNumber)).toBe(keyUpdateError)
  })

  it('§6.6: counts per key, asks for an update in time, and knows when it is over', () => {
    const { client, server } = pair()
    exchange(client, server)
    expect(client.keys.wantsUpdate()).toBe(false)
    client.keys.sealedPackets = 2 ** 22
    expect(client.keys.wantsUpdate()).toBe(true)
    expect(client.keys.isExhausted()).toBe(false)
    client.keys.sealedPackets = 2 ** 23
    expect(client.keys.isExhausted()).toBe(true)
    expect(client.keys.initiateUpdate()).toBe(true)
    expect(client.keys.sealedPackets).toBe(0)
    expect(client.keys.isExhausted()).toBe(false)
    client.keys.failedPackets = 2 ** 52 + 2
    expect(client.keys.isExhausted()).toBe(true)
  })

  it('ChaCha20-Poly1305 never asks for an update for its limit\'s sake (§6.6)', () => {
    const keys = new OneRttKeys(provider, CipherSuite.chacha20Poly1305Sha256, CLIENT_SECRET, SERVER_SECRET)
    keys.sealedPackets = Number.MAX_SAFE_INTEGER
    expect(keys.wantsUpdate()).toBe(false)
    expect(keys.isExhausted()).toBe(false)
  })

  it('forgets everything on destroy', () => {
    const { client } = pair()
    client.keys.destroy()
    expect([client.keys.canRead(), client.keys.canWrite()]).toEqual([false, false])
  })

  it('two honest endpoints never see an error, whatever the network reorders or loses', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9), fc.nat(5)), { maxLength: 120 }), (script) => {
        const { client, server } = pair()
        const flights: Record<'toServer' | 'toClient', { packet: Packet; acks: number }[]> = { toServer: [], toClient: [] }
        const received = { client: -1, server: -1 }
        for (const [byClient, action, pick] of script) {
          const self = byClient ? client : server
          const inbox = byClient ? flights.toClient : flights.toServer
          const outbox = byClient ? flights.toServer : flights.toClient
          const name = byClient ? 'client' : 'server'
          if (action < 4) {
            outbox.push({ packet: self.send(), acks: received[name] })
          } else if (action < 8) {
            const at = Math.min(pick, inbox.length - 1)
            const arrived = inbox[at]
            if (arrived === undefined) continue
            // Taken from anywhere in the queue: reordered. Action 7 loses it.
            inbox.splice(at, 1)
            if (action === 7) continue
            const result = self.receive(arrived.packet)
            expect(result).not.toBe(keyUpdateError)
            if (result !== ok) continue
            received[name] = Math.max(received[name], arrived.packet.packetNumber)
            if (arrived.acks >= 0) expect(self.keys.onAcked(arrived.acks)).toBe(ok)
          } else {
            self.keys.initiateUpdate()
          }
          expect(Math.abs(client.keys.writeGeneration - server.keys.writeGeneration)).toBeLessThanOrEqual(1)
          const ahead = self.keys.writeGeneration - self.keys.readGeneration
          expect(ahead === 0 || ahead === 1).toBe(true)
        }
        // The last word: whatever happened, a new packet each way is understood.
        for (const [from, to] of [[client, server], [server, client]] as const) expect(to.receive(from.send())).toBe(ok)
      }),
      { numRuns: 80 },
    )
  })
})
