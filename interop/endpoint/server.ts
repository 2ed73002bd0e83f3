// The server side: serves the folder WWW until it is told to end.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { listen, SocketError, type IncomingPolicy, type ListenOptions, type QuicListener } from '@quicwire/driver'
import { createFileHandler, serve } from 'quicwire'
import type { EndpointEnvironment } from './environment.ts'
import { HqServer } from './hq/hq-server.ts'
import type { ServerPlan } from './testcase.ts'

export interface RunningServer {
  readonly port: number
  /** Connections end, logs are complete. */
  close(): Promise<void>
}

/** qlog gathers its events for that long. Milliseconds. */
const LOG_INTERVAL = 300

const retryAlways: IncomingPolicy = ({ validated }) => (validated ? 'accept' : 'retry')

export async function runServer(environment: EndpointEnvironment, plan: ServerPlan): Promise<RunningServer> {
  const certificate = {
    cert: readFileSync(join(environment.certificates, 'cert.pem'), 'utf8'),
    key: readFileSync(join(environment.certificates, 'priv.key'), 'utf8'),
  }
  return plan.manner === 'h3' ? serveHttp3(environment, plan, certificate) : serveHq(environment, plan, certificate)
}

async function serveHttp3(environment: EndpointEnvironment, plan: ServerPlan, certificate: { cert: string; key: string }): Promise<RunningServer> {
  const { www, listenAddress, listenPort } = environment
  const handler = await createFileHandler(www)
  const server = await onAnyFamily(listenAddress, (host) => serve({ host, port: listenPort, certificate, handler, settings: plan.settings }))
  return {
    port: server.port,
    async close() {
      await server.close({ immediately: true })
      await delay(LOG_INTERVAL)
    },
  }
}

async function serveHq(environment: EndpointEnvironment, plan: ServerPlan, certificate: { cert: string; key: string }): Promise<RunningServer> {
  const { www, listenAddress, listenPort, preferredAddresses, preferredListen } = environment
  const options: ListenOptions = {
    tls: { ...plan.tls, certificates: [certificate], alpn: ['hq-interop'] },
    settings: plan.migrates ? { ...plan.settings, preferredAddress: preferredAddresses } : plan.settings,
    ...(plan.marks ? { socket: 'ffi' } : {}),
    ...(plan.retry ? { policy: retryAlways } : {}),
  }
  const listener = await onAnyFamily(listenAddress, (host) =>
    listen({ ...options, addresses: [{ host, port: listenPort }, ...(plan.migrates ? preferredListen : [])] }),
  )
  void accept(listener, www)
  return {
    port: listener.address().port,
    async close() {
      await listener.close()
      await delay(LOG_INTERVAL)
    },
  }
}

async function accept(listener: QuicListener, www: string): Promise<void> {
  for (let incoming = await listener.accept(); incoming !== null; incoming = await listener.accept()) incoming.start(new HqServer(www))
}

/** A machine may be without IPv6. */
async function onAnyFamily<Server>(address: string, start: (host: string) => Promise<Server>): Promise<Server> {
  try {
    return await start(address)
  } catch (error) {
    if (address !== '::' || !(error instanceof SocketError) || error.code === 'QUIC_PORT_IN_USE') throw error
    return start('0.0.0.0')
  }
}
