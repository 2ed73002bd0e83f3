// The proxy's side of a plain CONNECT (RFC 9114 §4.4): bytes both ways with backpressure, each direction ending by itself. An error of
// the TCP connection resets the stream with H3_CONNECT_ERROR; an aborted stream resets the TCP connection.

import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { H3ErrorCode } from '@quicwire/h3'
import { EMPTY_BODY } from '../../h3/frames.ts'
import type { TunnelStream } from '../tunnel/http-tunnel.ts'
import { refusal, type Refusal } from './refusal.ts'

/** Connects to the first address that answers. Rejects with Refusal. `timeout` in milliseconds, for each. */
export async function connectTcp(addresses: readonly string[], port: number, timeout: number): Promise<Socket> {
  let last: unknown = null
  for (const address of addresses) {
    try {
      return await attempt(address, port, timeout)
    } catch (error) {
      last = error
    }
  }
  throw last
}

function attempt(address: string, port: number, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true })
    const timer = setTimeout(() => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), timeout)
    const onError = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer)
      reject(connectRefusal(error, address))
    }
    socket.once('error', onError)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', onError)
      resolve(socket)
    })
  })
}

function connectRefusal(error: NodeJS.ErrnoException, address: string): Refusal {
  const details = `${address}: ${error.code ?? error.message}`
  if (error.code === 'ETIMEDOUT') return refusal('connection_timeout', details)
  if (error.code === 'ECONNREFUSED') return refusal('connection_refused', details)
  return refusal('destination_ip_unroutable', details)
}

export class TcpRelay {
  private readonly stream: TunnelStream
  private readonly socket: Socket
  private readonly onEnd: () => void
  private toTargetDone: boolean
  private toClientDone: boolean
  private ended: boolean

  constructor(stream: TunnelStream, socket: Socket, idleTimeout: number, onEnd: () => void) {
    this.stream = stream
    this.socket = socket
    this.onEnd = onEnd
    this.toTargetDone = false
    this.toClientDone = false
    this.ended = false
    if (idleTimeout !== Infinity) socket.setTimeout(idleTimeout, () => this.fail())
    socket.on('error', () => this.fail())
    socket.on('close', () => {
      if (!this.toClientDone || !this.toTargetDone) this.fail()
    })
    socket.on('data', (data) => this.toClient(data as Buffer))
    socket.on('end', () => void this.finishToClient())
    void this.toTarget()
  }

  /** The client has aborted the stream, or the connection has ended. */
  onAborted(): void {
    if (this.ended) return
    this.stream.abort(H3ErrorCode.requestCancelled)
    this.socket.resetAndDestroy()
    this.end()
  }

  private toClient(data: Buffer): void {
    const frame = { kind: 'Body', data, fin: false } as const
    const sent = this.stream.send.trySend(frame)
    if (sent === 'sent') return
    if (sent === 'closed') {
      this.onAborted()
      return
    }
    this.socket.pause()
    void this.stream.send.send(frame).then((ok) => {
      if (ok) this.socket.resume()
      else this.onAborted()
    })
  }

  private async finishToClient(): Promise<void> {
    const sent = await this.stream.send.send({ kind: 'Body', data: EMPTY_BODY, fin: true })
    if (!sent) {
      this.onAborted()
      return
    }
    this.toClientDone = true
    this.settle()
  }

  private async toTarget(): Promise<void> {
    const { recv } = this.stream
    for (let frame = await recv.recv(); frame !== null; frame = await recv.recv()) {
      if (this.ended) return
      if (frame.kind === 'Trailers') continue
      if (frame.data.length > 0 && !this.socket.write(frame.data)) await drained(this.socket)
      if (frame.fin) {
        this.toTargetDone = true
        this.socket.end()
        this.settle()
        return
      }
    }
    this.onAborted()
  }

  private settle(): void {
    if (this.toTargetDone && this.toClientDone) this.end()
  }

  private fail(): void {
    if (this.ended) return
    // RFC 9114 §4.4
    this.stream.abort(H3ErrorCode.connectError)
    this.socket.destroy()
    this.end()
  }

  private end(): void {
    if (this.ended) return
    // The channels are the driver's to close: closing them here would overtake the abort and its code.
    this.ended = true
    this.onEnd()
  }
}

/** Room again, or the end of the socket, whose error has its own listener. */
async function drained(socket: Socket): Promise<void> {
  if (socket.destroyed) return
  const stop = new AbortController()
  const ended = once(socket, 'close', { signal: stop.signal }).catch(() => undefined)
  const room = once(socket, 'drain', { signal: stop.signal }).catch(() => undefined)
  await Promise.race([ended, room])
  stop.abort()
}
