// The client side: downloads what REQUESTS names, in the manner of the test case. Rejects when anything is missing at the end.

import { createWriteStream, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, MemorySessionStore, type QuicConnection, type StoredSession } from '@quicwire/driver'
import { connect as connectHttp3 } from 'quicwire'
import type { EndpointEnvironment } from './environment.ts'
import { HqClient } from './hq/hq-client.ts'
import type { ClientPlan } from './testcase.ts'
import { awaitVersionNegotiation } from './version-negotiation.ts'

/** Connections at a time when there is one per file: enough to hide the timeouts of those that lose packets. */
const CONNECTIONS_AT_ONCE = 5
/** How long a ticket is waited for, milliseconds. */
const TICKET_TIMEOUT = 10_000
/** How long the last packets and the logs may take. Nothing else keeps the process alive meanwhile. */
const LINGER = 300

export async function runClient(environment: EndpointEnvironment, plan: ClientPlan): Promise<void> {
  const { requests } = environment
  const [first, ...rest] = requests
  if (first === undefined) throw new Error('REQUESTS is empty')
  const client = new Downloads(environment, plan)
  switch (plan.manner) {
    case 'hq':
      return client.onOneConnection(requests)
    case 'each':
      return client.onConnectionsEach(requests)
    case 'resumed':
      return client.onTwoConnections(first, rest)
    case 'h3':
      return client.overHttp3(requests)
    default:
      return awaitVersionNegotiation(first.hostname, portOf(first))
  }
}

class Downloads {
  private readonly environment: EndpointEnvironment
  private readonly plan: ClientPlan
  private readonly ca: string
  private readonly sessions: TicketStore

  constructor(environment: EndpointEnvironment, plan: ClientPlan) {
    this.environment = environment
    this.plan = plan
    this.ca = readFileSync(join(environment.certificates, 'ca.pem'), 'utf8')
    this.sessions = new TicketStore()
  }

  async onOneConnection(urls: readonly URL[]): Promise<void> {
    const { connection, hq } = await this.connect(urls[0]!, false)
    await complete(connection, Promise.all(urls.map((url) => hq.download(url.pathname))))
    if (this.plan.updateKeys) await hq.confirmed
    await close(connection)
  }

  async onConnectionsEach(urls: readonly URL[]): Promise<void> {
    const left = [...urls]
    const lane = async (): Promise<void> => {
      for (let url = left.shift(); url !== undefined; url = left.shift()) await this.onOneConnection([url])
    }
    await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE }, lane))
  }

  async onTwoConnections(first: URL, rest: readonly URL[]): Promise<void> {
    const { connection, hq } = await this.connect(first, false)
    await complete(connection, hq.download(first.pathname))
    await this.sessions.filled(TICKET_TIMEOUT)
    await close(connection)
    const second = await this.connect(first, this.plan.early, rest)
    await complete(second.connection, second.downloads)
    await close(second.connection)
  }

  async overHttp3(urls: readonly URL[]): Promise<void> {
    const session = await connectHttp3(urls[0]!, { ca: this.ca, settings: this.plan.settings, sessionStore: null })
    await Promise.all(
      urls.map(async ({ pathname }) => {
        const response = await session.request(pathname)
        if (response.status !== 200) throw new Error(`${pathname}: status ${response.status}`)
        await pipeline(response.body, createWriteStream(join(this.environment.downloads, basename(pathname))))
      }),
    )
    await session.close()
  }

  /** `urls`: asked for before the handshake begins, so that they can go out in 0-RTT. */
  private async connect(
    url: URL,
    early: boolean,
    urls: readonly URL[] = [],
  ): Promise<{ connection: QuicConnection; hq: HqClient; downloads: Promise<unknown> }> {
    const hq = new HqClient({ directory: this.environment.downloads, early, updateKeys: this.plan.updateKeys })
    const downloads = Promise.all(urls.map(({ pathname }) => hq.download(pathname)))
    // Reported by whoever waits for them, or by connect() before.
    downloads.catch(() => undefined)
    const connection = await connect({
      host: url.hostname,
      port: portOf(url),
      tls: { ...this.plan.tls, alpn: ['hq-interop'], ca: this.ca },
      settings: this.plan.settings,
      sessionStore: this.plan.manner === 'resumed' ? this.sessions : null,
      earlyData: early,
      application: hq,
      ...(this.plan.marks ? { socket: 'ffi' } : {}),
    })
    return { connection, hq, downloads }
  }
}

/** Tells when a ticket has come. */
class TicketStore extends MemorySessionStore {
  private readonly arrived: Promise<true>
  private settle!: (arrived: true) => void

  constructor() {
    super()
    this.arrived = new Promise((resolve) => {
      this.settle = resolve
    })
  }

  override put(origin: string, session: StoredSession): void {
    super.put(origin, session)
    this.settle(true)
  }

  async filled(timeoutMs: number): Promise<void> {
    const timeout = new AbortController()
    const late = delay(timeoutMs, false, { signal: timeout.signal }).catch(() => false)
    const inTime = await Promise.race([this.arrived, late])
    timeout.abort()
    if (!inTime) throw new Error(`the server gave no session ticket within ${timeoutMs / 1000} s`)
  }
}

/** Rejects with what ended the connection, if that is why they are not complete. */
async function complete(connection: QuicConnection, downloads: Promise<unknown>): Promise<void> {
  try {
    await downloads
  } catch (error) {
    // It is told a moment later than its streams.
    await Promise.resolve()
    throw connection.error ?? error
  }
}

async function close(connection: QuicConnection): Promise<void> {
  await connection.close({ code: 0 })
  await Promise.race([connection.whenFinished(), delay(LINGER)])
}

function portOf(url: URL): number {
  return url.port === '' ? 443 : Number(url.port)
}
