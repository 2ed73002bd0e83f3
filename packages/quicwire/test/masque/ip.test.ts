// CONNECT-IP as a library (RFC 9484): a client and a proxy exchange addresses, routes and packets. No device.

import { afterEach, describe, expect, it } from 'vitest'
import { connectIp, prefixFrom, routeTo, type IpTunnel, type IpTunnelHandler, type TunnelRequest } from '../../src/index.ts'
import { Closing, insecure, startProxy, until } from './fixtures.ts'

const closing = new Closing()
afterEach(() => closing.all())

/** An IPv4 packet with a right checksum. */
function packet(source: string, destination: string, options: { protocol?: number; hops?: number; payload?: string } = {}): Uint8Array {
  const payload = Buffer.from(options.payload ?? 'payload')
  const bytes = Buffer.alloc(20 + payload.length)
  bytes[0] = 0x45
  bytes.writeUInt16BE(bytes.length, 2)
  bytes[8] = options.hops ?? 64
  bytes[9] = options.protocol ?? 17
  bytes.set(source.split('.').map(Number), 12)
  bytes.set(destination.split('.').map(Number), 16)
  bytes.writeUInt16BE(checksum(bytes), 10)
  bytes.set(payload, 20)
  return bytes
}

/** RFC 791: what the header's words have to be complemented with; 0 over a header that is right. */
function checksum(header: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < 20; i += 2) sum += (header[i]! << 8) | header[i + 1]!
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}

interface ProxySide {
  readonly tunnels: IpTunnel[]
  readonly requests: TunnelRequest[]
  readonly received: Uint8Array[]
  readonly url: string
}

/** Assigns 192.0.2.x to who asks, routes 198.51.100.0/24 (all protocols) and 203.0.113.0/24 (UDP). */
async function ipProxy(): Promise<ProxySide> {
  const side = { tunnels: [] as IpTunnel[], requests: [] as TunnelRequest[], received: [] as Uint8Array[], url: '' }
  const server = await startProxy(closing, {
    ip: (request) => {
      side.requests.push(request)
      if (request.scope?.protocol === 6) return null
      let tunnel: IpTunnel | null = null
      return {
        handler: {
          onPacket: (bytes) => side.received.push(bytes),
          onAddressRequest: (requests) => {
            const granted = requests.filter(({ address }) => address.length === 4)
            const refused = requests.filter(({ address }) => address.length !== 4)
            const assigned = granted.map(({ requestId }, i) => ({ requestId, ...prefixFrom(`192.0.2.${i + 1}`) }))
            void tunnel!.assignAddresses(assigned, refused)
          },
        },
        onOpen: (opened) => {
          tunnel = opened
          side.tunnels.push(opened)
          void opened.advertiseRoutes([routeTo('203.0.113.0/24', 17), routeTo('198.51.100.0/24')])
        },
      }
    },
  })
  side.url = server.url
  return side
}

async function client(side: ProxySide, handler: IpTunnelHandler = {}): Promise<IpTunnel> {
  const tunnel = closing.add(await connectIp(side.url, { ...insecure, handler }), (open) => open.close())
  await until(() => tunnel.routes.length === 2, 'the routes')
  return tunnel
}

describe('an IP tunnel', () => {
  it('exchanges addresses and routes, then carries packets both ways', async () => {
    const side = await ipProxy()
    const received: Uint8Array[] = []
    const tunnel = await client(side, { onPacket: (bytes) => received.push(bytes) })
    const assigned = await tunnel.requestAddresses([{ version: 4 }, { version: 6 }])
    // The IPv6 request was refused (RFC 9484 §4.7.2).
    expect(assigned).toEqual([prefixFrom('192.0.2.1/32')])
    expect(tunnel.addresses).toEqual(assigned)
    expect(tunnel.routes).toEqual([routeTo('198.51.100.0/24'), routeTo('203.0.113.0/24', 17)])

    expect(tunnel.send(packet('192.0.2.1', '198.51.100.7'))).toBe('sent')
    await until(() => side.received.length === 1, 'the packet at the proxy')
    expect(Buffer.from(side.received[0]!)).toEqual(Buffer.from(packet('192.0.2.1', '198.51.100.7')))

    expect(side.tunnels[0]!.send(packet('198.51.100.7', '192.0.2.1'))).toBe('sent')
    await until(() => received.length === 1, 'the answer')
    expect(received[0]!.length).toBe(27)
  })

  it('sends nothing that the other side would not take, and takes nothing else (RFC 9484 §4.7, §7.2)', async () => {
    const side = await ipProxy()
    const tunnel = await client(side)
    await tunnel.requestAddresses([{ version: 4 }])
    expect(tunnel.send(packet('192.0.2.2', '198.51.100.7'))).toBe('source')
    expect(tunnel.send(packet('192.0.2.1', '8.8.8.8'))).toBe('destination')
    expect(tunnel.send(packet('192.0.2.1', '203.0.113.7', { protocol: 6 }))).toBe('protocol')
    // ICMP always may.
    expect(tunnel.send(packet('192.0.2.1', '203.0.113.7', { protocol: 1 }))).toBe('sent')
    expect(tunnel.send(Uint8Array.of(1, 2, 3))).toBe('malformed')

    await until(() => side.received.length === 1, 'the ICMP packet')

    // A proxy that forgets what it had assigned sees a wrong source.
    await side.tunnels[0]!.assignAddresses([])
    tunnel.send(packet('192.0.2.1', '198.51.100.7'))
    await until(() => side.tunnels[0]!.refused.source === 1, 'the packet refused')
    expect(side.received.length).toBe(1)
    await until(() => tunnel.addresses.length === 0, 'the address withdrawn')
  })

  it('takes a hop off what it forwards, and mends the checksum', async () => {
    const side = await ipProxy()
    const tunnel = await client(side)
    await tunnel.requestAddresses([{ version: 4 }])
    expect(tunnel.send(packet('192.0.2.1', '198.51.100.7', { hops: 3 }), true)).toBe('sent')
    expect(tunnel.send(packet('192.0.2.1', '198.51.100.7', { hops: 1 }), true)).toBe('hops')
    await until(() => side.received.length === 1, 'the packet')
    expect(side.received[0]![8]).toBe(2)
    expect(checksum(side.received[0]!)).toBe(0)
  })

  it('says what it is for', async () => {
    const side = await ipProxy()
    const scoped = await connectIp(side.url, { ...insecure, target: '2001:db8::/32', protocol: 17 })
    closing.add(scoped, (open) => open.close())
    expect(side.requests[0]!.scope).toEqual({ target: { kind: 'prefix', prefix: prefixFrom('2001:db8::/32') }, protocol: 17 })
    await expect(connectIp(side.url, { ...insecure, protocol: 6 })).rejects.toMatchObject({ status: 403 })
    await expect(connectIp(side.url, { ...insecure, target: '2001:db8::1/32' })).rejects.toMatchObject({ code: 'MASQUE_INVALID_TARGET' })
  })

  it('ends in order, and requests with it', async () => {
    const side = await ipProxy()
    let ended: unknown = 'not yet'
    const tunnel = await client(side, { onClosed: (error) => (ended = error) })
    const waiting = tunnel.requestAddresses([{ version: 4 }])
    side.tunnels[0]!.close()
    await waiting.catch(() => undefined)
    await tunnel.ended
    expect(ended).toBeNull()
    expect(tunnel.send(packet('192.0.2.1', '198.51.100.7'))).not.toBe('sent')
    await expect(tunnel.requestAddresses([{ version: 4 }])).rejects.toMatchObject({ code: 'MASQUE_CLOSED' })
  })
})
