// An HTTP/3 client on the driver itself: node examples/http3/client.ts https://127.0.0.1:4433/stream-bytes/1000000
// It trusts any certificate, being an example for servers with certificates of their own.

import { clientH3Driver, connect } from '@quicwire/driver'

const url = new URL(process.argv[2] ?? 'https://127.0.0.1:4433/')
const { driver, controller } = clientH3Driver()
const connection = await connect({
  host: url.hostname,
  port: url.port === '' ? 443 : Number(url.port),
  tls: { insecure: true },
  application: driver,
})
controller.requestSender().send({
  requestId: 0,
  headers: [[':method', 'GET'], [':scheme', 'https'], [':authority', url.host], [':path', url.pathname + url.search]],
  bodyWriter: null,
})

for await (const event of controller.events) {
  if (event.kind === 'IncomingHeaders') {
    const { headers, recv, h3AuditStats } = event.incoming
    for await (const frame of recv) if (frame.kind === 'Body' && frame.fin) break
    process.stdout.write(`${headers.map(([name, value]) => `${name}: ${value}\n`).join('')}${h3AuditStats.downstreamBytesRecvd} bytes\n`)
    void connection.shutdown()
  } else if (event.kind === 'RequestFailed' || event.kind === 'StreamError') {
    process.stderr.write('the request failed\n')
    process.exitCode = 1
    void connection.close()
  } else if (event.kind === 'ConnectionShutdown' && event.error !== null) {
    process.stderr.write(`${event.error.message}\n`)
    process.exitCode = 1
  }
}
