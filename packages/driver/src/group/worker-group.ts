// Several worker threads behind one UDP port. Where the system shares ports between sockets (SO_REUSEPORT; Node 23.1, 22.12) each worker
// has a socket of its own; elsewhere the main thread receives and sends for all of them. Connections belong to the worker that issued
// their connection ID, wherever their packets come in, so that they survive a change of address; all workers share the keys of tokens,
// tickets and stateless resets, and the record of early data taken.

import { randomBytes } from 'node:crypto'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { OptionError } from '../errors.ts'
import type { DatagramHandler } from '../io/datagram-socket.ts'
import { DgramSocket, resolveHost } from '../io/dgram-socket.ts'
import type { SocketAddress } from '../io/socket-address.ts'
import type { ListenOptions } from '../listen.ts'
import { cryptoProvider, type CryptoChoice } from '../tls/crypto-choice.ts'
import type { ServerTlsOptions } from '../tls/tls-options.ts'
import { Backlog } from './backlog.ts'
import { Outbox, type Datagrams } from './messages.ts'
import { PortSocket, SharedSocket, remoteOf } from './port-socket.ts'
import { SharedReplayRegister } from './shared-replay-register.ts'
import { WorkerConnectionIds, workerOf } from './worker-ids.ts'

/** Bytes of connection IDs, unless WorkerGroupOptions says otherwise. */
const CONNECTION_ID_LENGTH = 8
const KEY_LENGTH = 32
const MAX_WORKERS = 256

export interface WorkerGroupOptions {
  /** Local address or name. Default `0.0.0.0`. */
  readonly host?: string | undefined
  /** Default 0: any free port. */
  readonly port?: number | undefined
  /** How many, 1 to 256. */
  readonly workers: number
  /** Bytes of connection IDs, 1 to 20. Default 8. */
  readonly connectionIdLength?: number | undefined
  /**
   * `system`: every worker has a socket on the port, and the system deals its clients out among them. `main`: the main thread has the only
   * one. Default: `system` where Node and the system share ports.
   */
  readonly sockets?: 'system' | 'main' | undefined
  /** Early data remembered at once by all workers, so that none is taken twice; beyond, it is refused. Default 65 536. */
  readonly replayCapacity?: number | undefined
}

/** What a worker needs to join: goes into its workerData, with `port` in the transfer list. */
export interface GroupMember {
  readonly index: number
  readonly count: number
  readonly port: MessagePort
  readonly localAddress: SocketAddress
  readonly sockets: 'system' | 'main'
  readonly connectionIdLength: number
  readonly tokenKey: Uint8Array
  readonly ticketKey: Uint8Array
  readonly resetKey: Uint8Array
  /** Of the SharedReplayRegister. */
  readonly replays: SharedArrayBuffer
  /** Of the Backlogs from the main thread and to it. */
  readonly backlog: SharedArrayBuffer
  readonly foreignBacklog: SharedArrayBuffer
}

export class WorkerGroup implements DatagramHandler {
  readonly localAddress: SocketAddress
  private readonly socket: DgramSocket
  private readonly options: WorkerGroupOptions
  private readonly sockets: 'system' | 'main'
  private readonly replays: SharedArrayBuffer
  private readonly inboxes: (Outbox | null)[]
  private readonly backlogs: Backlog[]
  private readonly ports: (MessagePort | null)[]
  private readonly keys: readonly Uint8Array[]
  private passedOn: number
  private turnDue: boolean
  private closed: boolean

  private constructor(socket: DgramSocket, options: WorkerGroupOptions, sockets: 'system' | 'main') {
    this.localAddress = socket.localAddress
    this.socket = socket
    this.options = options
    this.sockets = sockets
    this.replays = SharedReplayRegister.memory(options.replayCapacity)
    this.inboxes = new Array<Outbox | null>(options.workers).fill(null)
    this.backlogs = []
    this.ports = new Array<MessagePort | null>(options.workers).fill(null)
    this.keys = [randomBytes(KEY_LENGTH), randomBytes(KEY_LENGTH), randomBytes(KEY_LENGTH)]
    this.passedOn = 0
    this.turnDue = false
    this.closed = false
  }

  /** Binds the port. Rejects with SocketError, NameError or OptionError. */
  static async bind(options: WorkerGroupOptions): Promise<WorkerGroup> {
    const { workers } = options
    if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS) throw new OptionError(`workers is 1 to ${MAX_WORKERS}, not ${workers}`)
    const { address } = await resolveHost(options.host ?? '0.0.0.0')
    const shared = options.sockets === 'main' ? null : await bindShared(address, options.port ?? 0)
    if (shared === null && options.sockets === 'system') {
      throw new OptionError('sockets do not share ports here: dgram has reusePort from Node 22.12 and 23.1 on, and not on every system')
    }
    const socket = shared ?? (await DgramSocket.bind({ address, port: options.port ?? 0 }))
    try {
      const group = new WorkerGroup(socket, options, shared === null ? 'main' : 'system')
      // With sockets of the system it passes on what it gets until it is closed.
      socket.open(group)
      return group
    } catch (error) {
      await socket.close()
      throw new OptionError((error as Error).message, error)
    }
  }

  /** Datagrams that came in at a worker they do not belong to, as after a migration, and were passed on. */
  get forwarded(): number {
    return this.passedOn
  }

  /** Datagrams that were lost because a worker did not keep up with what was passed on to it. */
  get dropped(): number {
    return this.backlogs.reduce((sum, { dropped }) => sum + dropped, 0)
  }

  /** The place of worker `index`, once each: `new Worker(file, { workerData: { member }, transferList: [member.port] })`. */
  member(index: number): GroupMember {
    if (this.ports[index] !== null) throw new OptionError(`there is no place for worker ${index}, or it has been taken`)
    const { port1, port2 } = new MessageChannel()
    this.ports[index] = port1
    const [backlog, foreignBacklog] = [Backlog.memory(), Backlog.memory()]
    const [inward, foreign] = [new Backlog(backlog), new Backlog(foreignBacklog)]
    this.backlogs.push(inward)
    this.inboxes[index] = new Outbox(port1, 'in', inward)
    port1.on('message', (message: Datagrams) => {
      if (message.kind === 'foreign') foreign.taken(message.datagrams.length)
      this.onMessage(message)
    })
    port1.on('close', () => {
      this.inboxes[index] = null
    })
    port1.unref()
    const [tokenKey, ticketKey, resetKey] = this.keys
    return {
      index,
      count: this.options.workers,
      port: port2,
      localAddress: this.localAddress,
      sockets: this.sockets,
      connectionIdLength: this.options.connectionIdLength ?? CONNECTION_ID_LENGTH,
      tokenKey: tokenKey!,
      ticketKey: ticketKey!,
      resetKey: resetKey!,
      replays: this.replays,
      backlog,
      foreignBacklog,
    }
  }

  /** All workers are in their place: with sockets of the system, the main thread's own one would take packets from them. */
  async ready(): Promise<void> {
    if (this.sockets === 'system') await this.socket.close()
  }

  /** Frees the port; listeners of workers that are still there fail. */
  async close(): Promise<void> {
    this.closed = true
    for (const port of this.ports) port?.close()
    await this.socket.close()
  }

  onReadable(): void {
    if (this.turnDue) return
    this.turnDue = true
    setImmediate(() => this.dispatch())
  }

  onWritable(): void {
    // Workers do not wait: what the system does not take is lost, as on the network.
  }

  onUnreachable(): void {
    // Of an unconnected socket: of nobody in particular.
  }

  onFailed(): void {
    for (const port of this.ports) port?.close()
  }

  private dispatch(): void {
    this.turnDue = false
    const batch = this.socket.receive()
    if (batch === null) return
    for (let i = 0; i < batch.length; i++) {
      const { remoteAddress, remotePort } = remoteOf(batch.paths[i]!)
      this.deliver(batch.datagrams[i]!, remoteAddress, remotePort)
    }
    batch.clear()
    for (const inbox of this.inboxes) inbox?.post()
  }

  private deliver(datagram: Uint8Array, address: string, port: number): void {
    const worker = workerOf(datagram, this.options.workers)
    if (worker >= 0) this.inboxes[worker]?.add(datagram, address, port)
  }

  private onMessage({ kind, datagrams, addresses, ports }: Datagrams): void {
    if (this.closed) return
    for (const [i, datagram] of datagrams.entries()) {
      if (kind === 'foreign') {
        this.passedOn++
        this.deliver(datagram, addresses[i]!, ports[i]!)
      } else {
        this.socket.acquire().set(datagram)
        this.socket.send(datagram.length, this.socket.path(addresses[i]!, ports[i]!), 0)
      }
    }
    for (const inbox of this.inboxes) inbox?.post()
  }
}

/** A socket on a port that others may bind too; null where sockets do not share ports. Rejects with SocketError for a port in use. */
async function bindShared(address: string, port: number): Promise<DgramSocket | null> {
  // Another server on this port would share it, and each get some of the packets: that is found out first.
  const alone = await DgramSocket.bind({ address, port })
  const at = { address, port: alone.localAddress.port, reusePort: true }
  await alone.close()
  const socket = await DgramSocket.bind(at).catch(() => null)
  if (socket === null) return null
  // Earlier Nodes ignore the option.
  const second = await DgramSocket.bind(at).catch(() => null)
  await (second ?? socket).close()
  return second === null ? null : socket
}

/** What joinGroup() gives: the rest of the TLS options, certificates at least, go beside those in `tls`. */
export interface GroupPlace extends Pick<ListenOptions, 'socket' | 'connectionIds' | 'tokenKeys' | 'resetKey'> {
  readonly tls: Required<Pick<ServerTlsOptions, 'ticketKeys' | 'replayRegister'>>
}

/** In the worker: `const { tls, ...place } = await joinGroup(member); listen({ ...place, tls: { ...tls, certificates } })`. */
export async function joinGroup(member: GroupMember, crypto?: CryptoChoice): Promise<GroupPlace> {
  const provider = await cryptoProvider(crypto)
  const { index, count, port, localAddress, connectionIdLength } = member
  const socket =
    member.sockets === 'main'
      ? new PortSocket(port, localAddress, member.backlog)
      : new SharedSocket(await DgramSocket.bind({ ...localAddress, reusePort: true }), member)
  return {
    socket,
    connectionIds: new WorkerConnectionIds(provider.random, connectionIdLength, index, count),
    tokenKeys: [member.tokenKey],
    resetKey: member.resetKey,
    tls: { ticketKeys: [member.ticketKey], replayRegister: new SharedReplayRegister(member.replays) },
  }
}
