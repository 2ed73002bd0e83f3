// One end of a tunnel over real channels: what a peer may send, and how tunnels end.

import { encodeCapsule, encodeDatagramCapsule, H3Error, H3ErrorCode } from '@quicwire/h3'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bounded } from '../../src/index.ts'
import type { InboundDatagram, InboundFrame, OutboundDatagram, OutboundFrame } from '../../src/index.ts'
import { contextZeroPayload, inContextZero } from '../../src/masque/tunnel/context.ts'
import { HttpTunnel, MAX_EARLY_DATAGRAMS, MAX_WAITING_CAPSULE_BYTES, type TunnelHandler } from '../../src/masque/tunnel/http-tunnel.ts'
import { settle } from '../support.ts'

function setUp(maxDatagramSize: number = 1200) {
  const frames = bounded<InboundFrame>(1000)
  const outgoing = bounded<OutboundFrame>(4)
  const datagrams = bounded<InboundDatagram>(1000)
  const sent = bounded<OutboundDatagram>(4)
  const aborts: number[] = []
  const tunnel = new HttpTunnel({
    streamId: 8,
    send: outgoing.sender,
    recv: frames.receiver,
    flow: { flowId: 2, send: sent.sender, recv: datagrams.receiver, maxDatagramSize: () => maxDatagramSize },
    abort: (code) => aborts.push(code),
  })
  const seen: string[] = []
  const handler: TunnelHandler = {
    capsuleTypes: [7],
    onDatagram: (datagram) => {
      seen.push(`datagram ${datagram.length}`)
      if (datagram[0] === 99) throw new H3Error(H3ErrorCode.datagramError, 'stream', 'not that')
    },
    onCapsule: (type, value) => seen.push(`capsule ${type} ${value.length}`),
    onClosed: (error) => seen.push(error === null ? 'closed' : error.code),
  }
  const body = (data: Uint8Array, fin: boolean = false): void => void frames.sender.trySend({ kind: 'Body', data, fin })
  return { tunnel, frames, outgoing, datagrams, sent, aborts, seen, handler, body }
}

const bytes = (length: number): Uint8Array => new Uint8Array(length)

describe('an HTTP tunnel (RFC 9297, RFC 9298)', () => {
  it('delivers datagrams of both kinds, capsules it knows, and skips others', async () => {
    const { tunnel, datagrams, seen, handler, body } = setUp()
    tunnel.start(handler)
    datagrams.sender.trySend({ kind: 'Datagram', data: bytes(3) })
    body(encodeDatagramCapsule(bytes(70_000 - 5000)))
    body(encodeCapsule(0x1234, bytes(10)))
    body(encodeCapsule(7, bytes(5)))
    await settle()
    expect(seen).toEqual(['datagram 3', 'datagram 65000', 'capsule 7 5'])
  })

  it('keeps a bounded number of datagrams until it is open (RFC 9298 §5)', async () => {
    const { tunnel, datagrams, seen, handler } = setUp()
    for (let i = 0; i < 500; i++) datagrams.sender.trySend({ kind: 'Datagram', data: bytes(10) })
    await settle()
    expect(datagrams.receiver.length).toBe(0)
    expect(tunnel.dropped).toBe(500 - MAX_EARLY_DATAGRAMS)
    tunnel.start(handler)
    expect(seen.length).toBe(MAX_EARLY_DATAGRAMS)
  })

  it('does not move large datagrams to capsules (RFC 9298 §6.1), and drops what finds a full queue', () => {
    const { tunnel, sent } = setUp()
    expect(tunnel.sendDatagram(bytes(1201))).toBe('too-large')
    for (let i = 0; i < 4; i++) expect(tunnel.sendDatagram(bytes(1200))).toBe('sent')
    expect(tunnel.sendDatagram(bytes(1))).toBe('dropped')
    expect(tunnel.dropped).toBe(1)
    expect(sent.receiver.length).toBe(4)
  })

  it('bounds what waits in capsules', () => {
    const { tunnel } = setUp(0)
    expect(tunnel.usesCapsules).toBe(true)
    let accepted = 0
    while (tunnel.sendDatagram(bytes(60_000)) === 'sent') accepted += 60_000
    expect(accepted).toBeLessThanOrEqual(MAX_WAITING_CAPSULE_BYTES)
    expect(accepted).toBeGreaterThan(0)
  })

  it('answers a FIN with a FIN', async () => {
    const { tunnel, outgoing, aborts, seen, handler, body } = setUp()
    tunnel.start(handler)
    body(bytes(0), true)
    await settle()
    expect(seen).toEqual(['closed'])
    expect(outgoing.receiver.tryRecv()).toMatchObject({ kind: 'Body', fin: true })
    expect(aborts).toEqual([])
    expect(tunnel.sendDatagram(bytes(1))).toBe('closed')
  })

  it.each([
    ['a capsule cut short', encodeCapsule(7, bytes(5)).subarray(0, 4), true, H3ErrorCode.messageError],
    ['a DATAGRAM capsule beyond any UDP payload (RFC 9298 §5)', encodeDatagramCapsule(bytes(66_000)), false, H3ErrorCode.excessiveLoad],
    ['what its handler refuses', encodeDatagramCapsule(Uint8Array.of(99)), false, H3ErrorCode.datagramError],
  ])('aborts at %s', async (_what, data, fin, code) => {
    const { tunnel, aborts, seen, handler, body } = setUp()
    tunnel.start(handler)
    body(data, false)
    if (fin) body(bytes(0), true)
    await settle()
    expect(aborts).toEqual([code])
    expect(seen.at(-1)).toBe('MASQUE_CLOSED')
  })

  it('an aborted stream ends it once, whenever that happens', async () => {
    const early = setUp()
    early.tunnel.onAborted('gone')
    early.tunnel.start(early.handler)
    expect(early.seen).toEqual(['MASQUE_CLOSED'])

    const { tunnel, frames, seen, handler } = setUp()
    tunnel.start(handler)
    frames.sender.close()
    await settle()
    tunnel.onAborted('again')
    tunnel.close()
    expect(seen).toEqual(['MASQUE_CLOSED'])

    const orderly = setUp()
    orderly.tunnel.start(orderly.handler)
    orderly.tunnel.onAborted('enough', true)
    expect(orderly.seen).toEqual(['closed'])
    expect(orderly.aborts).toEqual([H3ErrorCode.noError])
  })

  it('any bytes on the stream are capsules or an abort', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), fc.boolean(), async (pieces, fin) => {
        const { tunnel, aborts, seen, handler, body } = setUp()
        tunnel.start(handler)
        for (const piece of pieces) body(piece)
        if (fin) body(bytes(0), true)
        await settle(12)
        expect(aborts.length).toBeLessThanOrEqual(1)
        for (const code of aborts) expect([H3ErrorCode.messageError, H3ErrorCode.excessiveLoad, H3ErrorCode.datagramError]).toContain(code)
        expect(seen.filter((entry) => entry === 'closed' || entry === 'MASQUE_CLOSED').length).toBe(fin || aborts.length > 0 ? 1 : 0)
      }),
    )
  })
})

describe('contexts (RFC 9298 §4, §5)', () => {
  it('0 carries payloads, others are dropped', () => {
    expect(contextZeroPayload(inContextZero(Uint8Array.of(1, 2)))).toEqual(Uint8Array.of(1, 2))
    expect(contextZeroPayload(Uint8Array.of(0))).toEqual(bytes(0))
    // What arrives may be a Node Buffer, whose slice() shares memory: what is handed out is none.
    expect(contextZeroPayload(Buffer.from([0, 7, 8]))!.slice(1)).not.toBeInstanceOf(Buffer)
    // 0 in two bytes
    expect(contextZeroPayload(Uint8Array.of(0x40, 0, 5))).toEqual(Uint8Array.of(5))
    for (const other of [[2, 1], [1], [], [0x40], [0xc0, 0, 0]]) expect(contextZeroPayload(Uint8Array.from(other))).toBeNull()
  })
})
