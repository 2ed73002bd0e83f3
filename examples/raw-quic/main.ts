// Two protocols of our own over QUIC, server and client of each in one process: `node examples/raw-quic/main.ts`.

import { connect, createDevCertificate, cryptoProvider, listen, type ApplicationContext } from '@quicwire/driver'
import { EchoServer } from './echo.ts'
import { HqClient, HqServer } from './hq.ts'

const development = createDevCertificate(await cryptoProvider(undefined), { names: ['localhost'], unixTimeMs: Date.now() })
const certificates = [{ cert: development.certificatePem, key: development.privateKeyPem }]

// hq-interop
const files = new Map([['/hello', 'hello over hq-interop\n']])
const listener = await listen({ host: '127.0.0.1', tls: { certificates, alpn: ['hq-interop', 'echo'] } })
void (async () => {
  for await (const incoming of listener) {
    // One listener, two protocols: which it is, the handshake says.
    const hq = new HqServer((path) => new TextEncoder().encode(files.get(path) ?? path))
    const echo = new EchoServer()
    const chosen = (context: ApplicationContext): HqServer | EchoServer => (context.connection.applicationProtocol() === 'echo' ? echo : hq)
    incoming.start({
      onConnEstablished: (context) => chosen(context).onConnEstablished(context),
      shouldAct: () => true,
      onTransportEvent: (context, event) => chosen(context).onTransportEvent(context, event),
      processReads: () => undefined,
      processWrites: () => undefined,
      waitForData: () => false,
      nextDeadline: () => Infinity,
      onDeadline: () => undefined,
      onShutdown: (context) => chosen(context).onShutdown(context),
      onConnClose: (context) => chosen(context).onConnClose(),
    })
  }
})()

const { port } = listener.address()
const tls = { ca: development.certificatePem }
const client = new HqClient()
const hq = await connect({ host: '127.0.0.1', port, serverName: 'localhost', tls: { ...tls, alpn: ['hq-interop'] }, application: client })
process.stdout.write(Buffer.from(await client.get('/hello')))
await hq.close({ code: 0 })

// echo
const text = 'what is said on a stream comes back\n'
const back = deferred<string>()
let heard = ''
const echo = await connect({
  host: '127.0.0.1',
  port,
  serverName: 'localhost',
  tls: { ...tls, alpn: ['echo'] },
  application: {
    onConnEstablished: ({ connection }) => {
      connection.streamWrite(connection.openStream(true), new TextEncoder().encode(text), true)
    },
    shouldAct: () => true,
    onTransportEvent: ({ connection }, event) => {
      if (event.kind !== 'stream-readable') return
      for (let data = connection.streamPeek(event.streamId); data !== null; data = connection.streamPeek(event.streamId)) {
        heard += Buffer.from(data).toString()
        connection.streamConsume(event.streamId, data.length)
      }
      if (connection.streamReceiveState(event.streamId) === 1) back.resolve(heard)
    },
    processReads: () => undefined,
    processWrites: () => undefined,
    waitForData: () => false,
    nextDeadline: () => Infinity,
    onDeadline: () => undefined,
    onShutdown: () => undefined,
    onConnClose: () => undefined,
  },
})
process.stdout.write(await back.promise)
await echo.close({ code: 0 })
await listener.close()

function deferred<T>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
