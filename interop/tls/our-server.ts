// Our server, in this process: every GET is answered with the file, every handshake is remembered.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { http3EarlyData, listen, serverH3Driver, type QuicConnection, type QuicListener, type ServerH3Controller, type ServerTlsOptions } from '@quicwire/driver'
import type { CaseFiles } from '../peers/peer.ts'
import type { TlsFiles } from './test-files.ts'

export interface OurServer {
  readonly listener: QuicListener
  readonly port: number
  /** In the order they came. */
  readonly connections: readonly QuicConnection[]
  /** Requests that came in 0-RTT. */
  earlyRequests: number
}

export async function startServer(files: TlsFiles, caseFiles: CaseFiles, tls: ServerTlsOptions): Promise<OurServer> {
  const certificate = { cert: await readFile(files.certificate, 'utf8'), key: await readFile(files.key, 'utf8') }
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    tls: { certificates: [certificate], ...tls },
    earlyDataPolicy: http3EarlyData(),
    settings: { keylogFile: join(caseFiles.logDirectory, 'ours.keys'), qlogDir: caseFiles.logDirectory },
  })
  const connections: QuicConnection[] = []
  const server = { listener, port: listener.address().port, connections, earlyRequests: 0 }
  void (async () => {
    for await (const incoming of listener) {
      const { driver, controller } = serverH3Driver()
      connections.push(incoming.start(driver))
      void answer(controller, files.body, server)
    }
  })()
  return server
}

async function answer(controller: ServerH3Controller, body: Uint8Array, server: OurServer): Promise<void> {
  for await (const event of controller.events) {
    if (event.kind !== 'Headers') continue
    if (event.isInEarlyData) server.earlyRequests += 1
    const { send } = event.incoming
    await send.send({ kind: 'Headers', headers: [[':status', '200'], ['content-length', String(body.length)]] })
    // The driver keeps what it is given.
    await send.send({ kind: 'Body', data: body.slice(), fin: true })
  }
}
