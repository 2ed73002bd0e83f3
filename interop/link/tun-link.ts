// Back end `tun`: client and server have a network namespace each, and whole IP packets pass through this process.

import type { SpawnSyncReturns } from 'node:child_process'
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Child, lastLine, quoted } from '../process/child.ts'
import type { Role } from '../runner/endpoint.ts'
import { addressBytes, CROSS_TRAFFIC, GATEWAY, PREFERRED_PORT, SERVER, SERVER_PORT } from './addresses.ts'
import { Emulator } from './emulator.ts'
import { IpPacket } from './ip-packet.ts'
import { LinkError } from './link-error.ts'
import type { Link, LinkOptions } from './link.ts'
import { removeLeftovers, systemPath } from './namespace.ts'
import { ServerProbe } from './server-probe.ts'
import { TunHost } from './tun-host.ts'

const PROBE_PORT = 57_832
const IPERF_PORT = 5001
const IPERF_TIMEOUT_MS = 5000

const prober = { address: addressBytes(GATEWAY.server[4]), port: PROBE_PORT }
const server = { address: addressBytes(SERVER[4]), port: SERVER_PORT }

export class TunLink implements Link {
  readonly backend = 'tun' as const
  readonly leftCapture: string
  readonly rightCapture: string
  readonly startCrossTraffic?: () => Promise<void>
  private readonly directory: string
  private readonly emulator: Emulator
  private readonly hosts: Readonly<Record<Role, TunHost>>
  private readonly probe: ServerProbe
  private closed: boolean

  private constructor(directory: string, emulator: Emulator, hosts: Readonly<Record<Role, TunHost>>, probe: ServerProbe) {
    this.directory = directory
    this.emulator = emulator
    this.hosts = hosts
    this.probe = probe
    this.closed = false
    this.leftCapture = emulator.captures.client
    this.rightCapture = emulator.captures.server
    if (installed('iperf')) this.startCrossTraffic = () => this.crossTraffic()
  }

  static async open(options: LinkOptions): Promise<TunLink> {
    removeLeftovers()
    const hosts: Partial<Record<Role, TunHost>> = {}
    const emulator = new Emulator(options, (to, packet) => hosts[to]?.send(packet.bytes))
    const probe = new ServerProbe((datagram) => hosts.server?.send(IpPacket.udp(prober, server, datagram).bytes))
    const fromServer = (bytes: Uint8Array): void => {
      const packet = IpPacket.parse(bytes)
      if (packet !== null && isForProber(packet)) probe.receive(packet.payload)
      else emulator.receive('server', bytes)
    }
    try {
      const client = (hosts.client = await TunHost.open('client', options.directory, (bytes) => emulator.receive('client', bytes)))
      const right = (hosts.server = await TunHost.open('server', options.directory, fromServer))
      return new TunLink(options.directory, emulator, { client, server: right }, probe)
    } catch (error) {
      await hosts.client?.close()
      await emulator.close()
      throw error
    }
  }

  place(role: Role, command: readonly string[]): readonly string[] {
    return this.hosts[role].namespace.place(command)
  }

  environment(role: Role): Readonly<Record<string, string>> {
    if (role === 'client') return {}
    const preferred = `${SERVER[4]}:${PREFERRED_PORT} [${SERVER[6]}]:${PREFERRED_PORT}`
    return { LISTEN_ADDRESS: '::', LISTEN_PORT: String(SERVER_PORT), PREFERRED_ADDRESSES: preferred }
  }

  authority(host: 'server4' | 'server6' | 'server46'): string {
    return `${host}:${SERVER_PORT}`
  }

  /** From the server's side of the emulated line. */
  async awaitServer(timeoutMs: number): Promise<boolean> {
    return this.probe.run(timeoutMs)
  }

  start(): void {
    this.emulator.start()
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.emulator.close()
    await Promise.all([this.hosts.client.close(), this.hosts.server.close()])
  }

  /** A TCP flow with CUBIC towards the client's side, until the link closes. */
  private async crossTraffic(): Promise<void> {
    const { client, server: source } = CROSS_TRAFFIC
    const receiver = await this.run('client', ['iperf', '-s', '-B', client], 'iperf-server')
    const deadline = performance.now() + IPERF_TIMEOUT_MS
    while (!listens(receiver.process.pid, IPERF_PORT)) {
      if (receiver.exited || performance.now() > deadline) throw new LinkError(`iperf does not listen${quoted(lastLine(receiver.output()))}`)
      await delay(10)
    }
    await this.run('server', ['iperf', '-c', client, '-B', source, '-t', '3600', '-Z', 'cubic'], 'iperf-client')
  }

  private run(role: Role, command: readonly string[], name: string): Promise<Child> {
    const [program, ...args] = this.place(role, command)
    return Child.start(program!, args, { name, logFile: join(this.directory, `${name}.log`), env: { PATH: systemPath } })
  }
}

function isForProber(packet: IpPacket): boolean {
  return packet.version === 4 && packet.isUdp && packet.destinationPort === PROBE_PORT && Buffer.compare(packet.destination, prober.address) === 0
}

/** Whether something in the namespace of that process listens on the TCP port. */
function listens(pid: number | undefined, port: number): boolean {
  const file = `/proc/${pid}/net/tcp`
  const listening = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} \\S+ 0A `)
  return existsSync(file) && listening.test(readFileSync(file, 'utf8'))
}

function installed(program: string): boolean {
  return run('sh', ['-c', `command -v ${program}`]).status === 0
}

function run(command: string, args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(command, args, { env: { ...process.env, PATH: systemPath }, encoding: 'utf8' })
}

/** Why this machine cannot; null when it can. */
export function whyNoTun(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are Linux only'
  if (process.getuid?.() !== 0) return 'it needs root'
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch {
    return 'there is no /dev/net/tun'
  }
  for (const [program, name] of [['ip', 'iproute2'], ['socat', 'socat'], ['setpriv', 'util-linux']] as const) {
    if (!installed(program)) return `${program} is not installed (Debian: ${name})`
  }
  const name = `quicwire-${process.pid}-probe`
  const { status, stderr } = run('ip', ['netns', 'add', name])
  if (status !== 0) return `no network namespace can be made: ${stderr.trim()}`
  run('ip', ['netns', 'delete', name])
  return null
}
