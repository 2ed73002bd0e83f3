// The proxy's side of a UDP tunnel (RFC 9298 §3.1): a connected UDP socket, so that the system passes only the target's datagrams, which is
// checked once more here. The socket lives as long as the stream.

import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { H3Error, H3ErrorCode } from '@quicwire/h3'
import { probeCeiling } from '../../io/socket-address.ts'
import { MAX_UDP_PAYLOAD } from '../client/udp-tunnel.ts'
import type { MasqueError } from '../errors.ts'
import { contextZeroPayload, inContextZero } from '../tunnel/context.ts'
import type { HttpTunnel, TunnelHandler } from '../tunnel/http-tunnel.ts'
import { IdleTimer } from './idle-timer.ts'
import { refusal } from './refusal.ts'

/** A UDP socket that speaks to one address only. Rejects with Refusal. */
export function connectedSocket(address: string, port: number): Promise<Socket> {
  const literal = (_host: string, _options: unknown, callback: (error: Error | null, address: string, family: number) => void): void => {
    callback(null, address, isIPv6(address) ? 6 : 4)
  }
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', lookup: literal as never }) // dgram's typing asks for dns.lookup with all its overloads
    const fail = (error: Error): void => {
      socket.close()
      reject(refusal('destination_ip_unroutable', error.message))
    }
    socket.once('error', fail)
    socket.connect(port, address, () => {
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

export class UdpRelay implements TunnelHandler {
  readonly capsuleTypes: readonly number[]
  /** Datagrams from the target that were too large for the tunnel, or from somebody else. */
  discarded: number
  private readonly tunnel: HttpTunnel
  private readonly socket: Socket
  private readonly address: string
  private readonly port: number
  private readonly idle: IdleTimer
  private readonly onEnd: () => void
  /** RFC 9298 §3.1: nothing is sent that would have to be fragmented. */
  private readonly largest: number

  constructor(tunnel: HttpTunnel, socket: Socket, idleTimeout: number, onEnd: () => void) {
    const remote = socket.remoteAddress()
    this.capsuleTypes = []
    this.discarded = 0
    this.tunnel = tunnel
    this.socket = socket
    this.address = remote.address
    this.port = remote.port
    this.onEnd = onEnd
    this.largest = probeCeiling(remote.address)
    this.idle = new IdleTimer(idleTimeout, () => tunnel.close())
    socket.on('message', (message, from) => {
      if (from.port === this.port && from.address === this.address) this.toClient(message)
      else this.discarded++
    })
    // RFC 9298 §3.1: a socket that is of no more use, such as after an ICMP error, ends the tunnel.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!PASSING.has(error.code ?? '')) tunnel.close()
    })
    tunnel.start(this)
  }

  onDatagram(datagram: Uint8Array): void {
    const payload = contextZeroPayload(datagram)
    if (payload === null) return
    // RFC 9298 §5
    if (payload.length > MAX_UDP_PAYLOAD) throw new H3Error(H3ErrorCode.datagramError, 'stream', `a UDP payload of ${payload.length} bytes (RFC 9298 §5)`)
    if (payload.length > this.largest) return
    this.idle.touch()
    this.socket.send(payload)
  }

  onCapsule(): void {
    // None was asked for.
  }

  onClosed(_error: MasqueError | null): void {
    this.idle.stop()
    this.socket.close()
    this.onEnd()
  }

  private toClient(message: Buffer): void {
    this.idle.touch()
    // RFC 9298 §6.1: what does not fit is dropped, so that the ends discover the MTU.
    if (this.tunnel.sendDatagram(inContextZero(message)) === 'too-large') this.discarded++
  }
}

/** Conditions of single datagrams. */
const PASSING: ReadonlySet<string> = new Set(['EMSGSIZE', 'EAGAIN', 'ENOBUFS', 'EPERM', 'EINTR'])
