// What travels between a group's main thread and its workers. Datagrams go in batches: a message costs more than a datagram.

import type { MessagePort } from 'node:worker_threads'
import type { Backlog } from './backlog.ts'

export interface Datagrams {
  /** in: for the worker; out: to be sent; foreign: received by a worker it does not belong to. */
  readonly kind: 'in' | 'out' | 'foreign'
  readonly datagrams: Uint8Array[]
  readonly addresses: string[]
  readonly ports: number[]
}

/** Gathers datagrams of one kind until they are posted. */
export class Outbox {
  private readonly port: MessagePort
  private readonly kind: Datagrams['kind']
  private readonly backlog: Backlog | null
  private pending: Datagrams

  /** `backlog`: for what comes from the network; what is sent there is bounded by congestion control. */
  constructor(port: MessagePort, kind: Datagrams['kind'], backlog: Backlog | null = null) {
    this.port = port
    this.kind = kind
    this.backlog = backlog
    this.pending = { kind, datagrams: [], addresses: [], ports: [] }
  }

  /** `datagram` is copied when it is posted. */
  add(datagram: Uint8Array, address: string, port: number): void {
    if (this.backlog !== null && !this.backlog.admit()) return
    this.pending.datagrams.push(datagram)
    this.pending.addresses.push(address)
    this.pending.ports.push(port)
  }

  post(): void {
    if (this.pending.datagrams.length === 0) return
    this.port.postMessage(this.pending)
    this.pending = { kind: this.kind, datagrams: [], addresses: [], ports: [] }
  }
}
