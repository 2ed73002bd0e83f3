// Back end `relay`: datagrams pass through this process on loopback. Inside they are the packets they would be between the simulator's hosts,
// so that model, translation and captures are those of `tun`. There is no ECN here.

import { createSocket } from 'node:dgram'
import { formatIpAddress } from '@quicwire/driver'
import type { Role } from '../runner/endpoint.ts'
import { CLIENT, SERVER, addressBytes, PREFERRED_PORT, SERVER_PORT, type IpFamily } from './addresses.ts'
import { Emulator } from './emulator.ts'
import { IpPacket, type SocketAddress } from './ip-packet.ts'
import type { Link, LinkOptions } from './link.ts'
import { bindLoopback, LOOPBACK, LoopbackPorts, requireLoopback, type LoopbackSocket } from './loopback.ts'
import { parseScenario } from './scenario.ts'
import { ServerProbe } from './server-probe.ts'

const clientAddress = { 4: addressBytes(CLIENT[4]), 6: addressBytes(CLIENT[6]) } as const
const serverAddress = { 4: addressBytes(SERVER[4]), 6: addressBytes(SERVER[6]) } as const

/** The client's addresses after rebinding, without the last byte. */
const OTHER_LOOPBACK = '127.0.1.'

/** The server's port in the emulated network; where clients send to for it; where the server listens for it. */
interface Service {
  readonly port: number
  readonly entrance: LoopbackPorts
  readonly listenPort: number
}

interface RealClient {
  readonly address: string
  readonly port: number
}

export class RelayLink implements Link {
  readonly backend = 'relay' as const
  readonly leftCapture: string
  readonly rightCapture: string
  private readonly emulator: Emulator
  private readonly services: readonly [Service, Service]
  /** By family and port in the emulated network. */
  private readonly clients: Map<string, RealClient>
  /** By family, real address and real port: the port in the emulated network. */
  private readonly clientPorts: Map<string, number>
  /** What the server sees the client at, by address and port in the emulated network. */
  private readonly exits: Map<string, LoopbackSocket>
  private closed: boolean

  private constructor(options: LinkOptions, services: readonly [Service, Service]) {
    this.emulator = new Emulator(options, (to, packet) => (to === 'server' ? this.toServer(packet) : this.toClient(packet)))
    this.leftCapture = this.emulator.captures.client
    this.rightCapture = this.emulator.captures.server
    this.services = services
    this.clients = new Map()
    this.clientPorts = new Map()
    this.exits = new Map()
    this.closed = false
    for (const service of services) service.entrance.onDatagram = (family, payload, from) => this.fromClient(service, family, payload, from)
  }

  static async open(options: LinkOptions): Promise<RelayLink> {
    const { impairment } = parseScenario(options.scenario)
    if (impairment.kind === 'rebind' && impairment.address) await requireLoopback(OTHER_LOOPBACK + 1)
    const ports: LoopbackPorts[] = []
    try {
      for (let i = 0; i < 4; i++) ports.push(await LoopbackPorts.open())
      const [main, preferred, ...listening] = ports as [LoopbackPorts, LoopbackPorts, LoopbackPorts, LoopbackPorts]
      const listenPorts = listening.map(({ port }) => port) as [number, number]
      const services = [
        { port: SERVER_PORT, entrance: main, listenPort: listenPorts[0] },
        { port: PREFERRED_PORT, entrance: preferred, listenPort: listenPorts[1] },
      ] as const
      const link = new RelayLink(options, services)
      // They were only held so that nothing else took them; now the server may.
      await Promise.all(listening.map((held) => held.close()))
      return link
    } catch (error) {
      await Promise.all(ports.map((open) => open.close()))
      throw error
    }
  }

  place(_role: Role, command: readonly string[]): readonly string[] {
    return command
  }

  /**
   * PREFERRED_ADDRESSES is what clients are to be told: it leads through the relay. The server itself listens for it at PREFERRED_LISTEN, since the relay
   * has the other.
   */
  environment(role: Role): Readonly<Record<string, string>> {
    if (role === 'client') return {}
    const [main, preferred] = this.services
    const v6 = preferred.entrance.has(6)
    const both = (port: number): string => `${LOOPBACK[4]}:${port}${v6 ? ` [${LOOPBACK[6]}]:${port}` : ''}`
    return {
      LISTEN_ADDRESS: v6 ? '::' : LOOPBACK[4],
      LISTEN_PORT: String(main.listenPort),
      PREFERRED_ADDRESSES: both(preferred.entrance.port),
      PREFERRED_LISTEN: both(preferred.listenPort),
    }
  }

  /** By address, but for both families: `localhost` may be either. */
  authority(host: 'server4' | 'server6' | 'server46'): string {
    const { port } = this.services[0].entrance
    return { server4: `${LOOPBACK[4]}:${port}`, server6: `[${LOOPBACK[6]}]:${port}`, server46: `localhost:${port}` }[host]
  }

  async awaitServer(timeoutMs: number): Promise<boolean> {
    const socket = createSocket('udp4')
    // A port nobody listens on yet answers with ICMP.
    socket.on('error', () => undefined)
    const probe = new ServerProbe((datagram) => socket.send(datagram, this.services[0].listenPort, LOOPBACK[4]))
    socket.on('message', (datagram) => probe.receive(datagram))
    try {
      return await probe.run(timeoutMs)
    } finally {
      socket.close()
    }
  }

  start(): void {
    this.emulator.start()
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.emulator.close()
    await Promise.all([...this.services.map(({ entrance }) => entrance.close()), ...[...this.exits.values()].map((exit) => exit.close())])
  }

  private fromClient(service: Service, family: IpFamily, payload: Uint8Array, from: RealClient): void {
    const source = { address: clientAddress[family], port: this.clientPort(family, from) }
    this.emulator.receive('client', IpPacket.udp(source, { address: serverAddress[family], port: service.port }, payload).bytes)
  }

  /** A client's own port, unless another of its addresses has that. */
  private clientPort(family: IpFamily, from: RealClient): number {
    const key = `${family} ${from.address} ${from.port}`
    let port = this.clientPorts.get(key)
    if (port === undefined) {
      port = from.port
      while (this.clients.has(`${family} ${port}`)) port = (port % 65_535) + 1
      this.clientPorts.set(key, port)
      this.clients.set(`${family} ${port}`, from)
    }
    return port
  }

  private toServer(packet: IpPacket): void {
    const service = this.services.find(({ port }) => port === packet.destinationPort)
    if (service === undefined) return
    this.exitOf(packet).send(packet.payload, service.listenPort, LOOPBACK[packet.version])
  }

  /** One socket for each address and port that the client has outside: another one after rebinding. */
  private exitOf({ version, source, sourcePort }: IpPacket): LoopbackSocket {
    const key = `${formatIpAddress(source)} ${sourcePort}`
    let exit = this.exits.get(key)
    if (exit === undefined) {
      const outside = { address: Uint8Array.from(source), port: sourcePort }
      const moved = version === 4 && Buffer.compare(source, clientAddress[4]) !== 0
      exit = bindLoopback(version, moved ? OTHER_LOOPBACK + source[3]! : LOOPBACK[version], (payload, from) => this.fromServer(outside, payload, from.port))
      this.exits.set(key, exit)
    }
    return exit
  }

  private fromServer(outside: SocketAddress, payload: Uint8Array, listenPort: number): void {
    const service = this.services.find((candidate) => candidate.listenPort === listenPort)
    if (service === undefined) return
    const source = { address: serverAddress[outside.address.length === 4 ? 4 : 6], port: service.port }
    this.emulator.receive('server', IpPacket.udp(source, outside, payload).bytes)
  }

  private toClient(packet: IpPacket): void {
    const client = this.clients.get(`${packet.version} ${packet.destinationPort}`)
    const service = this.services.find(({ port }) => port === packet.sourcePort)
    if (client !== undefined) service?.entrance.send(packet.version, packet.payload, client.port, client.address)
  }
}
