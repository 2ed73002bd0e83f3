// Which connection a datagram belongs to: by the connection ID of its receiver, or, where a receiver has none (RFC 9000 §5.1), by the
// addresses, which follow the client's packets through its rebindings.

import type { Sender } from './datagram.ts'
import type { TrackedConnection } from './tracked-connection.ts'

export class ConnectionTable {
  /** By receiver and connection ID. */
  private readonly byId: Map<string, TrackedConnection>
  private readonly byAddress: Map<string, TrackedConnection>
  /** Lengths of connection IDs in use, the longest first. */
  private readonly lengths: Record<Sender, number[]>

  constructor() {
    this.byId = new Map()
    this.byAddress = new Map()
    this.lengths = { client: [], server: [] }
  }

  addId(receiver: Sender, id: string, connection: TrackedConnection): void {
    if (id === '') return
    this.byId.set(`${receiver} ${id}`, connection)
    const lengths = this.lengths[receiver]
    const length = id.length / 2
    if (lengths.includes(length)) return
    lengths.push(length)
    lengths.sort((a, b) => b - a)
  }

  /** The client's datagrams of that connection have that pair of addresses. */
  addAddress(addresses: string, connection: TrackedConnection): void {
    this.byAddress.set(addresses, connection)
  }

  find(receiver: Sender, id: string, addresses: string): TrackedConnection | null {
    const found = id === '' ? this.byAddress.get(addresses) : this.byId.get(`${receiver} ${id}`)
    return found ?? null
  }

  /** The connection ID's length in a short header at bytes[start]; -1 when no connection has it. */
  idLength(receiver: Sender, bytes: Uint8Array, start: number, addresses: string): number {
    for (const length of this.lengths[receiver]) {
      const id = Buffer.from(bytes.buffer, bytes.byteOffset + start + 1, Math.min(length, bytes.length - start - 1)).toString('hex')
      if (this.byId.has(`${receiver} ${id}`)) return length
    }
    return this.byAddress.has(addresses) ? 0 : -1
  }
}
