import { PeerStreamLedger } from './peer-stream-ledger.ts'
import type { RequestStream } from './request-stream.ts'

/** The request streams of a connection (RFC 9114 §6.1): those of which a half is open, and which ids have been seen at all. */
export class RequestRegistry {
  /** The highest id whose header section went to the application, -1 before the first. */
  handedOver: number
  private readonly open: Map<number, RequestStream>
  private readonly ledger: PeerStreamLedger

  constructor() {
    this.handedOver = -1
    this.open = new Map()
    this.ledger = new PeerStreamLedger(0)
  }

  get size(): number {
    return this.open.size
  }

  /** The lowest id beyond all that have been seen. */
  get next(): number {
    return this.ledger.next
  }

  find(id: number): RequestStream | undefined {
    return this.open.get(id)
  }

  /** True the first time an id of the peer is seen; `add` follows, or the stream is refused. */
  firstSight(id: number): boolean {
    return this.ledger.firstSight(id)
  }

  /** Whether the peer has opened the stream (which may be over). */
  seen(id: number): boolean {
    return this.ledger.seen(id)
  }

  add(request: RequestStream): void {
    this.open.set(request.id, request)
  }

  /** Forgets a request both halves of which are done; true when it did. */
  settle(request: RequestStream): boolean {
    return request.done && this.open.delete(request.id)
  }

  /** Requests with this id or a higher one, in the order they were opened. */
  from(id: number | bigint): RequestStream[] {
    const found: RequestStream[] = []
    for (const request of this.open.values()) if (request.id >= id) found.push(request)
    return found
  }

  clear(): void {
    this.open.clear()
  }
}
