// An HTTP/3 server on the driver itself, events and frames in hand: /stream-bytes/N answers N bytes, everything else an empty 200.
//   node examples/http3/server.ts --address 127.0.0.1:4433 [--tls-cert-path cert.pem --tls-private-key-path key.pem]
//     [--cc-algorithm cubic|reno|bbr]
// QLOGDIR and SSLKEYLOGFILE work as everywhere.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  createDevCertificate,
  cryptoProvider,
  listen,
  serverH3Driver,
  type CongestionAlgorithm,
  type IncomingH3Headers,
  type QuicConnection,
  type ServerH3Controller,
} from '@quicwire/driver'

/** Bytes of one Body frame. */
const MAX_FRAME = 65_536
const FILL = 0x57

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1:4433' },
    'tls-cert-path': { type: 'string' },
    'tls-private-key-path': { type: 'string' },
    'cc-algorithm': { type: 'string', default: 'cubic' },
  },
})

const colon = values.address.lastIndexOf(':')
const listener = await listen({
  host: values.address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
  port: Number(values.address.slice(colon + 1)),
  tls: { certificates: [await certificate()] },
  // A name that is none is refused with a word about it.
  settings: { ccAlgorithm: values['cc-algorithm'] as CongestionAlgorithm },
})
process.stdout.write(`listening on ${listener.address().address}:${listener.address().port}\n`)
process.once('SIGINT', () => void listener.close({ graceful: true }))

for await (const incoming of listener) {
  const { driver, controller } = serverH3Driver()
  void serve(incoming.start(driver), controller)
}

async function serve(connection: QuicConnection, controller: ServerH3Controller): Promise<void> {
  for await (const event of controller.events) {
    if (event.kind === 'Headers') void answer(event.incoming)
    else if (event.kind === 'ConnectionError') process.stderr.write(`${connection.remoteAddress}: ${event.message}\n`)
  }
}

async function answer({ headers, send, recv }: IncomingH3Headers): Promise<void> {
  // What a request carries is not wanted here; closing the receiver would stop its sender instead.
  void (async () => {
    for await (const frame of recv) if (frame.kind === 'Body' && frame.fin) return
  })()
  const fields = new Map(headers)
  if (fields.get(':method') !== 'GET') await send.send({ kind: 'Headers', headers: [[':status', '405']], fin: true })
  else {
    const wanted = /^\/stream-bytes\/([0-9]{1,15})$/.exec(fields.get(':path') ?? '')
    let left = wanted === null ? 0 : Number(wanted[1])
    await send.send({ kind: 'Headers', headers: [[':status', '200'], ['content-length', String(left)]], fin: left === 0 })
    while (left > 0) {
      const length = Math.min(left, MAX_FRAME)
      left -= length
      // send() waits while the peer reads slowly, and says false when nobody reads any more.
      if (!(await send.send({ kind: 'Body', data: new Uint8Array(length).fill(FILL), fin: left === 0 }))) break
    }
  }
  send.close()
}

async function certificate(): Promise<{ cert: string; key: string }> {
  const { 'tls-cert-path': cert, 'tls-private-key-path': key } = values
  if (cert !== undefined && key !== undefined) return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  const made = createDevCertificate(await cryptoProvider(undefined), { names: ['localhost', '127.0.0.1', '::1'], unixTimeMs: Date.now() })
  return { cert: made.certificatePem, key: made.privateKeyPem }
}
