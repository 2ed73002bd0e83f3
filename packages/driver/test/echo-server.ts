// An HTTP/3 server that answers every request with its path, and a client that asks it.

import { clientH3Driver, connect, listen, serverH3Driver, type ConnectOptions, type ListenOptions, type QuicConnection, type QuicListener } from '../src/index.ts'
import { GET, OK, bytes, certificate, development, next, readAll } from './support.ts'

/** What the test undoes when it is over, last things first. */
export type Cleanup = (() => Promise<unknown> | void)[]

export interface EchoServer {
  readonly listener: QuicListener
  readonly port: number
  readonly connections: QuicConnection[]
}

/** Answers every request with its path. */
export async function startEchoServer(cleanup: Cleanup, options: Partial<ListenOptions> = {}): Promise<EchoServer> {
  const listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] }, ...options })
  const connections: QuicConnection[] = []
  cleanup.push(() => listener.close())
  void (async () => {
    for await (const incoming of listener) {
      const { driver, controller } = serverH3Driver()
      connections.push(incoming.start(driver))
      void answerWithPath(controller)
    }
  })()
  return { listener, port: listener.address().port, connections }
}

export async function answerWithPath(controller: ReturnType<typeof serverH3Driver>['controller']): Promise<void> {
  for await (const event of controller.events) {
    if (event.kind !== 'Headers') continue
    const { headers, send } = event.incoming
    const path = headers.find(([name]) => name === ':path')![1]
    await send.send({ kind: 'Headers', headers: OK })
    await send.send({ kind: 'Body', data: bytes(path), fin: true })
  }
}

export interface EchoClient {
  readonly connection: QuicConnection
  get(path: string): Promise<string>
}

export async function startEchoClient(cleanup: Cleanup, port: number, options: Partial<ConnectOptions> = {}): Promise<EchoClient> {
  const { driver, controller } = clientH3Driver()
  const connection = await connect({
    host: '127.0.0.1',
    port,
    serverName: 'localhost',
    tls: { ca: development.certificatePem },
    sessionStore: null,
    tokenStore: null,
    application: driver,
    ...options,
  })
  cleanup.push(() => connection.close())
  let id = 0
  return {
    connection,
    async get(path) {
      const headers = GET.map(([name, value]) => [name, name === ':path' ? path : value] as const)
      controller.requestSender().send({ requestId: id++, headers, bodyWriter: null })
      const { incoming } = await next(controller.events, 'IncomingHeaders')
      return (await readAll(incoming.recv)).text
    },
  }
}
