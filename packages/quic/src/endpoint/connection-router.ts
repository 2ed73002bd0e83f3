// Which connection a datagram belongs to: by destination connection ID (RFC 9000 §5.2). Several IDs lead to one connection;
// an ID leads to one connection at most.

/** Connection IDs as map keys: one character per byte. */
export function connectionIdKey(buffer: Uint8Array, start: number, length: number): string {
  let key = ''
  for (let i = start; i < start + length; i += 1) key += String.fromCharCode(buffer[i]!)
  return key
}

export class ConnectionRouter<T> {
  private readonly byId: Map<string, T>
  private readonly idsOf: Map<T, Set<string>>

  constructor() {
    this.byId = new Map()
    this.idsOf = new Map()
  }

  /** Connections known. */
  get size(): number {
    return this.idsOf.size
  }

  connections(): IterableIterator<T> {
    return this.idsOf.keys()
  }

  find(buffer: Uint8Array, start: number, length: number): T | null {
    return this.byId.get(connectionIdKey(buffer, start, length)) ?? null
  }

  has(connectionId: Uint8Array): boolean {
    return this.byId.has(connectionIdKey(connectionId, 0, connectionId.length))
  }

  add(connectionId: Uint8Array, connection: T): void {
    const key = connectionIdKey(connectionId, 0, connectionId.length)
    this.byId.set(key, connection)
    const ids = this.idsOf.get(connection)
    if (ids === undefined) this.idsOf.set(connection, new Set([key]))
    else ids.add(key)
  }

  remove(connectionId: Uint8Array, connection: T): void {
    const key = connectionIdKey(connectionId, 0, connectionId.length)
    if (this.byId.get(key) === connection) this.byId.delete(key)
    this.idsOf.get(connection)?.delete(key)
  }

  forget(connection: T): void {
    const ids = this.idsOf.get(connection)
    if (ids === undefined) return
    for (const key of ids) if (this.byId.get(key) === connection) this.byId.delete(key)
    this.idsOf.delete(connection)
  }
}
