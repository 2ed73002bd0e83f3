// Happy Eyeballs (RFC 8305): the addresses of a host in turn, the next one when an attempt fails or has not succeeded for a while. The
// first handshake to be complete is the connection; the others are closed. An attempt that meets Version Negotiation is made again, once,
// with the version it suggests (RFC 9368 §2.1).

import { isIPv6 } from 'node:net'
import type { CloseReason } from '@quicwire/quic'
import type { Attempts } from './attempts.ts'
import { errorFromReason } from './error-mapping.ts'
import type { ConnectionError } from './errors.ts'
import type { SocketAddress } from './io/socket-address.ts'
import type { Migration } from './moves.ts'
import type { QuicConnection } from './quic-connection.ts'
import type { IoWorker } from './worker/io-worker.ts'

/** RFC 8305 §5: "recommended to be 250 milliseconds". */
export const DEFAULT_ATTEMPT_DELAY = 250

/** RFC 8305 §4: addresses of both families in turn, beginning with the family of the first; within a family the order stays. */
export function interleaved(addresses: readonly string[]): string[] {
  const first = addresses.filter((address) => isIPv6(address) === isIPv6(addresses[0] ?? ''))
  const second = addresses.filter((address) => !first.includes(address))
  const mixed: string[] = []
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    if (i < first.length) mixed.push(first[i]!)
    if (i < second.length) mixed.push(second[i]!)
  }
  return mixed
}

/** An attempt that can be started. */
export interface OpenAttempt {
  readonly worker: IoWorker
  readonly localAddress: SocketAddress
  /** Other paths for the connection (RFC 9000 §9); null: its socket reaches one address only, and is not its own. */
  readonly migration: Migration | null
  /** The same address once more with another version, for Version Negotiation; null: that is not wanted. */
  restart: ((version: number) => IoWorker) | null
}

/** Makes an attempt at one address. Rejects when there is no socket for it. */
export type AttemptOpener = (address: string) => Promise<OpenAttempt>

export class ConnectionAttempts implements Attempts {
  private readonly left: string[]
  private readonly open: AttemptOpener
  private readonly delay: number
  private readonly running: Map<IoWorker, OpenAttempt>
  private connection: QuicConnection | null
  private winner: IoWorker | null
  private closing: boolean
  private opening: boolean
  private timer: NodeJS.Timeout | null
  private answered: ConnectionError | null
  /** The last attempt that failed, with its local address. */
  private lastFailed: OpenAttempt | null

  /** `delay`: milliseconds between attempts. */
  constructor(addresses: readonly string[], delay: number, open: AttemptOpener) {
    this.left = interleaved(addresses)
    this.open = open
    this.delay = delay
    this.running = new Map()
    this.connection = null
    this.winner = null
    this.closing = false
    this.opening = false
    this.timer = null
    this.answered = null
    this.lastFailed = null
  }

  /** The first attempt for which there is a socket. Rejects with the last address's error when there is none. */
  async first(): Promise<OpenAttempt> {
    for (;;) {
      try {
        const attempt = await this.open(this.left.shift()!)
        this.running.set(attempt.worker, attempt)
        return attempt
      } catch (error) {
        if (this.left.length === 0) throw error
      }
    }
  }

  /** The connection of the first attempt has been made. */
  begin(connection: QuicConnection): void {
    this.connection = connection
    this.armTimer()
  }

  onFailed(worker: IoWorker, reason: CloseReason): IoWorker | null {
    const attempt = this.running.get(worker)
    if (attempt === undefined || this.closing) return null
    this.running.delete(worker)
    this.lastFailed = attempt
    const again = this.renegotiated(attempt, reason)
    if (again !== null) return again
    const error = errorFromReason(reason, false, worker.connection.hasReceived())
    if (worker.connection.hasReceived() && this.answered === null) this.answered = error
    const [other] = this.running.keys()
    this.next()
    if (other !== undefined) return other
    // Nothing runs until the next socket is there: the attempt that failed stands for the connection until then.
    return this.opening ? worker : null
  }

  onWon(worker: IoWorker): boolean {
    if (this.winner !== null) return this.winner === worker
    this.winner = worker
    this.stop(worker)
    return true
  }

  onClosing(worker: IoWorker): void {
    if (this.winner !== null || this.closing) return
    this.closing = true
    this.stop(worker)
    if (worker.closeReason === null) return
    // close() between two attempts.
    this.connection?.endWithoutAttempt(worker.closeReason)
  }

  localAddressOf(worker: IoWorker): SocketAddress {
    const attempt = this.running.get(worker) ?? this.lastFailed
    // Every worker comes from an attempt.
    return (attempt as OpenAttempt).localAddress
  }

  migration(): Migration | null {
    return (this.winner === null ? undefined : this.running.get(this.winner))?.migration ?? null
  }

  betterError(): ConnectionError | null {
    return this.answered
  }

  private renegotiated(attempt: OpenAttempt, { versions }: CloseReason): IoWorker | null {
    const { restart } = attempt
    if (versions === undefined || versions.suggested === null || restart === null) return null
    const worker = restart(versions.suggested)
    this.running.set(worker, { ...attempt, worker, restart: null })
    this.connection?.attempt(worker)
    return worker
  }

  /** Gives up everything but `keep`. */
  private stop(keep: IoWorker): void {
    this.left.length = 0
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    for (const worker of this.running.keys()) if (worker !== keep) worker.giveUp()
  }

  private armTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = this.left.length === 0 ? null : setTimeout(() => this.next(), this.delay)
  }

  private next(): void {
    const address = this.left.shift()
    if (address === undefined || this.opening) {
      if (address !== undefined) this.left.unshift(address)
      return
    }
    this.opening = true
    this.open(address).then(
      (attempt) => this.onOpened(attempt),
      () => this.onUnopened(),
    )
  }

  private onOpened(attempt: OpenAttempt): void {
    this.opening = false
    const { worker } = attempt
    if (this.winner !== null || this.closing || this.connection === null) {
      worker.giveUp()
      return
    }
    this.running.set(worker, attempt)
    this.connection.attempt(worker)
    this.armTimer()
  }

  /** No socket for that address. */
  private onUnopened(): void {
    this.opening = false
    if (this.winner !== null || this.closing) return
    if (this.left.length > 0) this.next()
    else if (this.running.size === 0 && this.lastFailed !== null) {
      const reason = this.lastFailed.worker.closeReason
      if (reason !== null) this.connection?.endWithoutAttempt(reason)
    }
  }
}
