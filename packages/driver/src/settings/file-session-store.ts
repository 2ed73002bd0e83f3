// Sessions in a file, for programs that run once per connection, such as the command line. Whoever can read the file can read and
// continue those connections: it is the user's alone, mode 0600. Every call reads and writes it as a whole, so that programs that run
// after each other, or even together, hardly ever use a ticket twice; a lost race costs linkability, never security.

import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { SessionStore, StoredSession } from '@quicwire/quic'

export interface FileSessionLimits {
  /** Default 100; the one unused for longest goes first. */
  readonly origins?: number | undefined
  /** Default 2; the oldest goes first. */
  readonly sessionsPerOrigin?: number | undefined
  /** Unix milliseconds; for tests. Default Date.now. */
  readonly now?: (() => number) | undefined
}

const FORMAT = 1

/** A file that is longer is not one of ours. */
const MAX_FILE = 16 * 1024 * 1024

/** Origins in order of last use, sessions newest last. */
type Sessions = Map<string, StoredSession[]>

export class FileSessionStore implements SessionStore {
  readonly #path: string
  readonly #origins: number
  readonly #perOrigin: number
  readonly #now: () => number

  /** The file need not exist; its folder has to. What is in it and cannot be read as sessions is replaced. */
  constructor(path: string, limits: FileSessionLimits = {}) {
    this.#path = path
    this.#origins = limits.origins ?? 100
    this.#perOrigin = limits.sessionsPerOrigin ?? 2
    this.#now = limits.now ?? Date.now
  }

  /** Throws the system's error when the file exists and cannot be read or replaced. */
  take(origin: string): StoredSession | null {
    const sessions = this.#read()
    const list = sessions.get(origin)
    const session = list?.pop() ?? null
    if (list === undefined || session === null) return null
    sessions.delete(origin)
    if (list.length > 0) sessions.set(origin, list)
    this.#write(sessions)
    return session
  }

  /** Throws the system's error when the file cannot be read or replaced. */
  put(origin: string, session: StoredSession): void {
    const sessions = this.#read()
    const list = sessions.get(origin) ?? []
    sessions.delete(origin)
    list.push(session)
    if (list.length > this.#perOrigin) list.splice(0, list.length - this.#perOrigin)
    sessions.set(origin, list)
    for (const oldest of sessions.keys()) {
      if (sessions.size <= this.#origins) break
      sessions.delete(oldest)
    }
    this.#write(sessions)
  }

  #read(): Sessions {
    const sessions: Sessions = new Map()
    let text: string
    try {
      if (statSync(this.#path).size > MAX_FILE) return sessions
      text = readFileSync(this.#path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return sessions
      throw error
    }
    for (const [origin, list] of entries(text)) {
      const alive = list.flatMap((entry) => {
        const session = fromPlain(entry)
        return session === null || session.receivedAt + session.lifetimeSeconds * 1000 <= this.#now() ? [] : [session]
      })
      if (alive.length > 0) sessions.set(origin, alive)
    }
    return sessions
  }

  // A whole new file in place of the old one: nobody ever reads half of it.
  #write(sessions: Sessions): void {
    const text = JSON.stringify({ format: FORMAT, origins: [...sessions].map(([origin, list]) => [origin, list.map(toPlain)]) })
    const draft = `${this.#path}.${randomBytes(6).toString('hex')}`
    try {
      writeFileSync(draft, text, { mode: 0o600, flag: 'wx' })
      renameSync(draft, this.#path)
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    }
  }
}

/** Origins with what may be their sessions; nothing when the text is something else. */
function entries(text: string): [string, unknown[]][] {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    return []
  }
  const { format, origins } = (content ?? {}) as { format?: unknown; origins?: unknown }
  if (format !== FORMAT || !Array.isArray(origins)) return []
  return origins.flatMap((entry): [string, unknown[]][] => {
    if (!Array.isArray(entry)) return []
    const [origin, list] = entry as unknown[]
    return typeof origin === 'string' && Array.isArray(list) ? [[origin, list]] : []
  })
}

type Plain = Record<keyof StoredSession, unknown>

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function toPlain(session: StoredSession): Plain {
  return {
    ...session,
    ticket: base64(session.ticket),
    psk: base64(session.psk),
    peerParameters: base64(session.peerParameters),
    earlyDataContext: base64(session.earlyDataContext),
    peerCertificates: session.peerCertificates.map(base64),
  }
}

/** Null: not a session, or of a format this version does not know. */
function fromPlain(value: unknown): StoredSession | null {
  if (typeof value !== 'object' || value === null) return null
  const plain = value as Plain
  const ticket = bytesFrom(plain.ticket)
  const psk = bytesFrom(plain.psk)
  const peerParameters = bytesFrom(plain.peerParameters)
  const earlyDataContext = bytesFrom(plain.earlyDataContext)
  const { cipherSuite, alpn, serverName, receivedAt, lifetimeSeconds, ageAdd, earlyData, verified } = plain
  if (ticket === null || psk === null || peerParameters === null || earlyDataContext === null) return null
  if (cipherSuite !== 0x1301 && cipherSuite !== 0x1302 && cipherSuite !== 0x1303) return null
  if (psk.length !== (cipherSuite === 0x1302 ? 48 : 32) || ticket.length === 0) return null
  if (typeof alpn !== 'string' || (serverName !== null && typeof serverName !== 'string')) return null
  if (!isNumber(receivedAt) || !isNumber(lifetimeSeconds) || !isNumber(ageAdd)) return null
  if (typeof earlyData !== 'boolean' || typeof verified !== 'boolean' || !Array.isArray(plain.peerCertificates)) return null
  const peerCertificates: Uint8Array[] = []
  for (const certificate of plain.peerCertificates as unknown[]) {
    const der = bytesFrom(certificate)
    if (der === null) return null
    peerCertificates.push(der)
  }
  return {
    ticket,
    psk,
    cipherSuite,
    alpn,
    serverName,
    receivedAt,
    lifetimeSeconds,
    ageAdd,
    earlyData,
    peerParameters,
    earlyDataContext,
    peerCertificates,
    verified,
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function bytesFrom(value: unknown): Uint8Array | null {
  return typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : null
}
