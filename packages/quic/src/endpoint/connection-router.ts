// Which connection a datagram belongs to: by destination connection ID (RFC 9000 §5.2). Several IDs lead to one connection;
// an ID leads to one connection at most.

import { EMPTY } from '../base/bytes.ts'

/** Connection IDs as map keys: one character per byte. */
export function connectionIdKey(buffer: Uint8Array, start: number, length: number): string {
  let key = ''
  for (let i = start; i < start + length; i += 1) key += String.fromCharCode(buffer[i]!)
  return key
}

/** Endpoints use one kind of key only: connection IDs or addresses. */
function remoteKey(remote: string): string {
  return `from ${remote}`
}

export class ConnectionRouter<T> {
  private readonly byId: Map<string, T>
  private readonly idsOf: Map<T, Set<string>>
  /** What find() found last: datagrams come in runs, and a run makes one key string instead of one per datagram. */
  private lastId: Uint8Array
  private last: T | null

  constructor() {
    this.byId = new Map()
    this.idsOf = new Map()
    this.lastId = EMPTY
    this.last = null
  }

  /** Connections known. */
  get size(): number {
    return this.idsOf.size
  }

  connections(): IterableIterator<T> {
    return this.idsOf.keys()
  }

  find(buffer: Uint8Array, start: number, length: number): T | null {
    if (this.last !== null && this.isLastId(buffer, start, length)) return this.last
    const found = this.byId.get(connectionIdKey(buffer, start, length)) ?? null
    if (found !== null) this.remember(found, buffer, start, length)
    return found
  }

  has(connectionId: Uint8Array): boolean {
    return this.byId.has(connectionIdKey(connectionId, 0, connectionId.length))
  }

  add(connectionId: Uint8Array, connection: T): void {
    this.addKey(connectionIdKey(connectionId, 0, connectionId.length), connection)
  }

  /** The connection to a peer that is known by its address alone: where no connection IDs are issued. */
  findRemote(remote: string): T | null {
    return this.byId.get(remoteKey(remote)) ?? null
  }

  addRemote(remote: string, connection: T): void {
    this.addKey(remoteKey(remote), connection)
  }

  remove(connectionId: Uint8Array, connection: T): void {
    const key = connectionIdKey(connectionId, 0, connectionId.length)
    this.last = null
    if (this.byId.get(key) === connection) this.byId.delete(key)
    this.idsOf.get(connection)?.delete(key)
  }

  forget(connection: T): void {
    const ids = this.idsOf.get(connection)
    if (ids === undefined) return
    this.last = null
    for (const key of ids) if (this.byId.get(key) === connection) this.byId.delete(key)
    this.idsOf.delete(connection)
  }

  private addKey(key: string, connection: T): void {
    this.last = null
    this.byId.set(key, connection)
    const ids = this.idsOf.get(connection)
    if (ids === undefined) this.idsOf.set(connection, new Set([key]))
    else ids.add(key)
  }

  private isLastId(buffer: Uint8Array, start: number, length: number): boolean {
    const id = this.lastId
    if (id.length !== length) return false
    for (let i = 0; i < length; i += 1) if (id[i] !== buffer[start + i]) return false
    return true
  }

  private remember(connection: T, buffer: Uint8Array, start: number, length: number): void {
    if (this.lastId.length !== length) this.lastId = new Uint8Array(length)
    for (let i = 0; i < length; i += 1) this.lastId[i] = buffer[start + i]!
    this.last = connection
  }
}
