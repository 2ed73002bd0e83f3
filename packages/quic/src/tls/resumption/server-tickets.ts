// A server's session tickets: how they are sealed, how long they live, and when early data that comes with one is fresh
// (RFC 9846 §4.7.1, §8). One object serves all connections of a server; servers that share its keys take each other's tickets.

import type { CryptoProvider } from '../../crypto/provider.ts'
import { TokenSeal } from '../../crypto/token-seal.ts'
import { TlsUsageError } from '../errors.ts'
import { MemoryReplayRegister } from './replay-register.ts'
import type { ReplayRegister } from './replay-register.ts'
import { decodeTicketContent, encodeTicketContent } from './ticket-content.ts'
import type { TicketContent } from './ticket-content.ts'

/** RFC 9846 §4.7.1: seven days, for a ticket and for all that grows from one certificate. */
export const MAX_LIFETIME_SECONDS = 604_800

const TICKET_PURPOSE = 3
const KEY_LENGTH = 32

export interface TicketSettings {
  /** 32 random bytes each: the first seals, all of them open. Default: one random key, known to this object alone. */
  readonly keys?: readonly Uint8Array[] | undefined
  /** Seconds, 1 to 604 800. Default 86 400. */
  readonly lifetimeSeconds?: number | undefined
  /** Tickets per handshake, 0 to 8. Default 2. */
  readonly count?: number | undefined
  /** Tickets allow early data. Default false. */
  readonly earlyData?: boolean | undefined
  /** Milliseconds by which the age a client claims may be wrong; beyond, early data is refused. Default 10 000. */
  readonly ageTolerance?: number | undefined
  /** Default: a MemoryReplayRegister. */
  readonly replay?: ReplayRegister | undefined
  /**
   * Unix milliseconds. Give it with keys that an earlier process used: what that one may have accepted early is refused
   * (RFC 9846 §8.2), which is everything sent until `ageTolerance` after this moment.
   */
  readonly startedAt?: number | undefined
}

export interface OpenedTicket {
  readonly content: TicketContent
  /** Unix milliseconds. */
  readonly issuedAt: number
}

export class ServerTickets {
  readonly lifetimeSeconds: number
  readonly count: number
  readonly earlyData: boolean
  readonly #provider: CryptoProvider
  readonly #ageTolerance: number
  readonly #replay: ReplayRegister
  readonly #startedAt: number
  #seal: TokenSeal

  /** Throws TlsUsageError for settings that cannot work. */
  constructor(provider: CryptoProvider, settings: TicketSettings = {}) {
    this.lifetimeSeconds = settings.lifetimeSeconds ?? 86_400
    this.count = settings.count ?? 2
    this.earlyData = settings.earlyData ?? false
    this.#provider = provider
    this.#ageTolerance = settings.ageTolerance ?? 10_000
    this.#replay = settings.replay ?? new MemoryReplayRegister()
    this.#startedAt = settings.startedAt ?? -Infinity
    if (!Number.isInteger(this.lifetimeSeconds) || this.lifetimeSeconds < 1 || this.lifetimeSeconds > MAX_LIFETIME_SECONDS) {
      throw new TlsUsageError(`tickets live 1 to ${MAX_LIFETIME_SECONDS} seconds, not ${this.lifetimeSeconds}`)
    }
    if (!Number.isInteger(this.count) || this.count < 0 || this.count > 8) throw new TlsUsageError('a handshake gives 0 to 8 tickets')
    this.#seal = sealWith(provider, settings.keys ?? [randomKey(provider)])
  }

  /** Rotates: the first key seals from now on, and tickets under keys that are no longer given are worth nothing. */
  setKeys(keys: readonly Uint8Array[]): void {
    this.#seal = sealWith(this.#provider, keys)
  }

  /** `version`: the QUIC version of the connection that gives the ticket. */
  seal(content: TicketContent, version: number, now: number): Uint8Array {
    const bytes = encodeTicketContent(content)
    const ticket = this.#seal.seal(TICKET_PURPOSE, versionBytes(version), bytes, now)
    bytes.fill(0)
    return ticket
  }

  /** Null: not one of ours, of another QUIC version (RFC 9369 §5), or too old. The pre-shared key in it is the caller's to overwrite. */
  open(ticket: Uint8Array, version: number, now: number): OpenedTicket | null {
    const opened = this.#seal.open(TICKET_PURPOSE, versionBytes(version), ticket)
    if (opened === null) return null
    const content = now - opened.issuedAt > this.lifetimeSeconds * 1000 ? null : decodeTicketContent(opened.content)
    if (content === null || now - content.authenticatedAt > MAX_LIFETIME_SECONDS * 1000) {
      opened.content.fill(0)
      return null
    }
    return { content, issuedAt: opened.issuedAt }
  }

  /** Freshness first, then the register (RFC 9846 §8.2, §8.3). `age`: milliseconds, as the client says. */
  admitEarlyData(ticket: OpenedTicket, age: number, binder: Uint8Array, now: number): boolean {
    const expectedArrival = ticket.issuedAt + age
    if (Math.abs(expectedArrival - now) > this.#ageTolerance) return false
    if (expectedArrival <= this.#startedAt + this.#ageTolerance) return false
    return this.#replay.claim(binder, now, expectedArrival + this.#ageTolerance)
  }
}

function sealWith(provider: CryptoProvider, keys: readonly Uint8Array[]): TokenSeal {
  if (keys.length === 0 || keys.some((key) => key.length !== KEY_LENGTH)) throw new TlsUsageError('ticket keys are 32 bytes each')
  return new TokenSeal(provider, keys)
}

/** Authenticated with the ticket and not carried in it. */
function versionBytes(version: number): Uint8Array {
  return Uint8Array.of(version >>> 24, version >>> 16, version >>> 8, version)
}

function randomKey(provider: CryptoProvider): Uint8Array {
  const key = new Uint8Array(KEY_LENGTH)
  provider.random.fill(key)
  return key
}
