// A connection of the engine under the driver, on a way of its own for datagrams.

import { expect, it } from 'vitest'
import { Connection, Endpoint, RandomConnectionIdGenerator, type ConnectionConfig, type PathAddress } from '@quicwire/quic'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import { clientH3Driver, monotonicClock, serverH3Driver, wrapConnection, type WrappedConnection } from '../src/index.ts'
import { serverCertificate } from '../src/tls/tls-options.ts'
import { GET, OK, certificate, next, readAll } from './support.ts'

it('a wrapped connection does all that others do: handshake, requests, close', async () => {
  const { random } = nodeProvider
  const common = { provider: nodeProvider, random, connectionIds: new RandomConnectionIdGenerator(random, 8) }
  const toServer: PathAddress = { local: 'client', remote: 'server' }
  const toClient: PathAddress = { local: 'server', remote: 'client' }
  const serverConfig: ConnectionConfig = {
    ...common,
    tls: { alpn: ['h3'], certificates: [serverCertificate(certificate, nodeProvider)] },
  }
  // Accepting is the endpoint's business; the connection is wrapped after that.
  const endpoint = new Endpoint({ random, connectionIdLength: 8, server: () => serverConfig })
  const issued: string[] = []
  let server: WrappedConnection | null = null
  const serverSide = serverH3Driver()
  const clientSide = clientH3Driver()
  const client: WrappedConnection = wrapConnection({
    connection: Connection.connect(
      { ...common, tls: { alpn: ['h3'], serverName: 'localhost', verify: { mode: 'insecure' } } },
      toServer,
      monotonicClock.now(),
    ),
    application: clientSide.driver,
    send: (datagram) => {
      if (server !== null) return server.receive(datagram, toClient)
      endpoint.receive(datagram, toClient, monotonicClock.now())
      const connection = endpoint.pollIncoming()
      if (connection === null) return
      server = wrapConnection({
        connection,
        application: serverSide.driver,
        send: (answer) => client.receive(answer, toServer),
        onConnectionId: ({ kind }) => issued.push(kind),
      })
    },
  })
  await client.connection.established
  clientSide.controller.requestSender().send({ requestId: 1, headers: GET, bodyWriter: null })
  const { incoming } = await next(serverSide.controller.events, 'Headers')
  await incoming.send.send({ kind: 'Headers', headers: OK, fin: true })
  const response = (await next(clientSide.controller.events, 'IncomingHeaders')).incoming
  expect(response.headers).toEqual(OK)
  expect(await readAll(response.recv)).toMatchObject({ fin: true })
  expect(issued).toContain('connection-id-issued')
  expect(client.connection.localAddress).toEqual({ address: '0.0.0.0', port: 0, family: 'IPv4' })
  await client.connection.close({ code: 0x100, reason: 'seen enough' })
  expect(await server!.connection.closed).toMatchObject({ cause: 'peer', code: 0x100, reason: 'seen enough' })
  await Promise.all([client.connection.whenFinished(), server!.connection.whenFinished()])
})
