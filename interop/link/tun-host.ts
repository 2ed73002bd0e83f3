// A host of the `tun` back end: a network namespace whose eth0 is a TUN device. Node cannot open one without native code; socat can, and passes
// each IP packet as one UDP datagram on loopback.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Child, lastLine, quoted } from '../process/child.ts'
import { freeUdpPort } from '../process/quic-port.ts'
import type { Role } from '../runner/endpoint.ts'
import { CLIENT, CROSS_TRAFFIC, GATEWAY, SERVER } from './addresses.ts'
import { LinkError } from './link-error.ts'
import { ip, Namespace, systemPath } from './namespace.ts'

const DEVICE_TIMEOUT_MS = 5000
/** A whole burst waits here while this process is busy. */
const BUFFER_BYTES = 4_194_304

const HOSTS = `127.0.0.1 localhost
::1 localhost
${CLIENT[4]} client client4 client46
${CLIENT[6]} client6 client46
${SERVER[4]} server server4 server46
${SERVER[6]} server6 server46
`

export class TunHost {
  readonly namespace: Namespace
  private readonly socket: Socket
  private readonly socatPort: number
  private readonly socat: Child

  private constructor(namespace: Namespace, socket: Socket, socatPort: number, socat: Child) {
    this.namespace = namespace
    this.socket = socket
    this.socatPort = socatPort
    this.socat = socat
  }

  /** `onPacket` gets whole IP packets that the host sends. */
  static async open(role: Role, directory: string, onPacket: (bytes: Uint8Array) => void): Promise<TunHost> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const socatPort = await freeUdpPort()
    socket.on('message', (packet, from) => {
      if (from.port === socatPort) onPacket(packet)
    })
    // When socat is gone: that shows elsewhere.
    socket.on('error', () => undefined)
    let namespace: Namespace | null = null
    let socat: Child | null = null
    try {
      namespace = await Namespace.create(role, HOSTS)
      const device = `qw${process.pid.toString(36)}-${socatPort.toString(36)}${role[0]}`
      socat = await startSocat(device, socket.address().port, socatPort, join(directory, `socat-${role}.log`))
      await ip(['link', 'set', device, 'netns', namespace.name, 'name', 'eth0'])
      await namespace.configure(configuration(role))
      return new TunHost(namespace, socket, socatPort, socat)
    } catch (error) {
      await socat?.stop()
      namespace?.remove()
      socket.close()
      throw error
    }
  }

  /** A packet to the host. */
  send(packet: Uint8Array): void {
    this.socket.send(packet, this.socatPort, '127.0.0.1')
  }

  async close(): Promise<void> {
    this.namespace.remove()
    await this.socat.stop()
    this.socket.close()
  }
}

/** Resolves when socat has its socket, which it opens after the device: while it still sets the device up, that must keep its name and place. */
async function startSocat(device: string, nodePort: number, socatPort: number, logFile: string): Promise<Child> {
  const addresses = [`TUN,tun-name=${device},iff-no-pi`, `UDP4-DATAGRAM:127.0.0.1:${nodePort},bind=127.0.0.1:${socatPort},rcvbuf=${BUFFER_BYTES}`]
  // It would outlive a killed parent: it does not notice that its device has gone.
  const command = ['--pdeathsig', 'KILL', 'socat', '-b', '65536', ...addresses]
  const socat = await Child.start('setpriv', command, { name: 'socat', logFile, env: { PATH: systemPath } })
  const deadline = performance.now() + DEVICE_TIMEOUT_MS
  while (!isBound(socatPort)) {
    if (socat.exited || performance.now() > deadline) {
      await socat.stop()
      throw new LinkError(`socat made no TUN device${quoted(lastLine(socat.output()))}`)
    }
    await delay(5)
  }
  return socat
}

/** By /proc/net/udp, whose addresses are in hexadecimal. */
function isBound(port: number): boolean {
  return new RegExp(`: 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} `).test(readFileSync('/proc/net/udp', 'utf8'))
}

function configuration(role: Role): string[] {
  const own = role === 'client' ? CLIENT : SERVER
  return [
    'link set lo up',
    // No link-local address, so that the kernel has nothing to say by itself.
    'link set eth0 addrgenmode none',
    'link set eth0 up',
    `address add ${own[4]}/24 dev eth0`,
    `address add ${CROSS_TRAFFIC[role]}/24 dev eth0`,
    `address add ${own[6]}/64 dev eth0 nodad`,
    `route add 193.167.0.0/16 via ${GATEWAY[role][4]}`,
    `route add fd00:cafe:cafe::/48 via ${GATEWAY[role][6]} dev eth0`,
  ]
}
