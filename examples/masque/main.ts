// A MASQUE proxy with a client behind it, in one process: an HTTP/3 server and a UDP echo server stand for the internet, a proxy leads to
// them, and the client reaches both through it. Run: npm run example:masque

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, connectTcp, connectUdp, serve } from 'quicwire'

// The "internet".
const origin = await serve({ port: 0, handler: (request) => ({ status: 200, body: `You asked for ${request.path}\n` }) })
const echo = createSocket('udp4', (message, from) => echo.send(message, from.port, from.address))
echo.bind(0, '127.0.0.1')
await once(echo, 'listening')

// The proxy. Loopback is closed unless opened; a real one leaves `allow` out and asks for more than a password.
const proxy = await serve({
  port: 0,
  handler: () => ({ status: 404 }),
  proxy: {
    policy: { allow: ['127.0.0.1'] },
    authorize: ({ headers }) => headers.some(([name, value]) => name === 'proxy-authorization' && value === 'Bearer open sesame'),
  },
})
const headers = [['proxy-authorization', 'Bearer open sesame']] as const
const options = { headers, connection: { insecure: true } }

// A UDP tunnel looks like a dgram socket.
const tunnel = await connectUdp(proxy.url, `127.0.0.1:${echo.address().port}`, options)
tunnel.send('hello')
const [answer] = await once(tunnel, 'message')
console.log(`UDP echo: ${String(answer)}`)
tunnel.close()

// It carries QUIC as well: HTTP/3 inside MASQUE.
const inner = await connect(origin.url, { insecure: true, tunnel: await connectUdp(proxy.url, `127.0.0.1:${origin.port}`, options) })
const response = await inner.request('/through/the/proxy')
console.log(`HTTP/3: ${response.status} ${(await response.text()).trim()}`)
await inner.close()

// What is not allowed is refused.
await connectTcp(proxy.url, '10.0.0.1:80', options).catch((error: unknown) => console.log(`TCP: ${(error as Error).message}`))

echo.close()
await proxy.close()
await origin.close()
