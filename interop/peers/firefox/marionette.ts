// A minimal client of Marionette, Firefox's own remote protocol: over TCP, JSON arrays with their length in bytes before a colon.
//
//   [0, ID, COMMAND, PARAMETERS] is answered by [1, ID, ERROR or null, RESULT]

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { ProcessError } from '../../process/child.ts'

export type Json = Record<string, unknown>

interface Waiter {
  readonly resolve: (result: Json) => void
  readonly reject: (error: Error) => void
}

type Answer = readonly [1, number, { readonly error: string; readonly message: string } | null, Json | null]

const COMMAND = 0
const COLON = 0x3a

export class Marionette {
  private readonly socket: Socket
  private readonly waiting: Map<number, Waiter>
  private nextId: number
  private received: Buffer

  private constructor(socket: Socket) {
    this.socket = socket
    this.waiting = new Map()
    this.nextId = 1
    this.received = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => this.read(bytes))
    socket.on('error', () => {})
    socket.on('close', () => this.end())
  }

  /** Rejects while nobody listens on that port. */
  static async connect(port: number): Promise<Marionette> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new Marionette(socket)
  }

  send(command: string, parameters: Json): Promise<Json> {
    const id = this.nextId++
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) throw new ProcessError(`${command}: the browser has ended`)
      this.waiting.set(id, { resolve, reject: (error) => reject(new ProcessError(`${command}: ${error.message}`)) })
      const message = Buffer.from(JSON.stringify([COMMAND, id, command, parameters]))
      this.socket.write(Buffer.concat([Buffer.from(`${message.length}:`), message]))
    })
  }

  close(): void {
    this.socket.destroy()
  }

  private end(): void {
    for (const waiter of this.waiting.values()) waiter.reject(new Error('the browser has ended'))
    this.waiting.clear()
  }

  private read(bytes: Buffer): void {
    this.received = Buffer.concat([this.received, bytes])
    for (;;) {
      const colon = this.received.indexOf(COLON)
      if (colon === -1) return
      const end = colon + 1 + Number(this.received.toString('latin1', 0, colon))
      if (this.received.length < end) return
      const message = JSON.parse(this.received.toString('utf8', colon + 1, end)) as unknown
      this.received = this.received.subarray(end)
      // What it says first is an object: the protocol's name and version.
      if (Array.isArray(message)) this.take(message as unknown as Answer)
    }
  }

  private take([, id, error, result]: Answer): void {
    const waiter = this.waiting.get(id)
    this.waiting.delete(id)
    if (error === null) waiter?.resolve(result ?? {})
    else waiter?.reject(new Error(`${error.error} ${error.message}`.trim()))
  }
}
