// Our client, in this process: one connection, one download, and what its handshake settled.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { clientH3Driver, connect, type ClientH3Controller, type ClientTlsOptions, type SessionStore } from '@quicwire/driver'
import type { HandshakeInfo } from '@quicwire/quic'
import type { CaseFiles } from '../peers/peer.ts'
import type { TlsFiles } from './test-files.ts'

/** Tickets come when the server likes, mostly with its first packets after the handshake. */
const TICKET_MS = 300

export interface Visit {
  readonly tls?: ClientTlsOptions
  readonly sessions?: SessionStore
  /** Download the file. */
  readonly request: boolean
  /** Send the request in 0-RTT where there is a session for it. */
  readonly early?: boolean
}

export async function visit(port: number, files: TlsFiles, caseFiles: CaseFiles, { tls, sessions, request, early = false }: Visit): Promise<HandshakeInfo> {
  const { driver, controller } = clientH3Driver()
  const connection = await connect({
    host: '127.0.0.1',
    port,
    serverName: 'localhost',
    tls: { ca: await readFile(files.certificate, 'utf8'), ...tls },
    settings: { keylogFile: join(caseFiles.logDirectory, 'ours.keys'), qlogDir: caseFiles.logDirectory },
    sessionStore: sessions ?? null,
    earlyData: early,
    application: driver,
  })
  try {
    if (request) {
      const body = await get(controller, `/${files.name}`)
      if (!body.equals(files.body)) throw new Error(`${files.name} came as ${body.length} bytes that are not its own`)
    }
    // A refusal of our certificate comes after the handshake is complete for us.
    await delay(TICKET_MS)
    const info = connection.handshakeInfo
    if (info === null || connection.closeReason !== null) throw new Error(`the connection has ended: ${connection.closeReason?.reason ?? ''}`)
    return info
  } finally {
    await connection.close()
  }
}

async function get(controller: ClientH3Controller, path: string): Promise<Buffer> {
  controller.requestSender().send({
    requestId: 1,
    headers: [[':method', 'GET'], [':scheme', 'https'], [':authority', 'localhost'], [':path', path]],
    bodyWriter: null,
  })
  // Leaving a `for await` would close the connection.
  for (let event = await controller.events.recv(); event !== null; event = await controller.events.recv()) {
    if (event.kind === 'RequestFailed') throw event.error
    if (event.kind === 'ConnectionShutdown') throw event.error ?? new Error('the connection ended before the response')
    if (event.kind === 'ResetStream' || event.kind === 'StreamError') throw new Error(`the response broke off: ${event.kind}`)
    if (event.kind !== 'IncomingHeaders') continue
    const status = event.incoming.headers.find(([name]) => name === ':status')?.[1]
    if (status !== '200') throw new Error(`status ${status ?? 'missing'}`)
    const parts: Uint8Array[] = []
    for await (const frame of event.incoming.recv) if (frame.kind === 'Body') parts.push(frame.data)
    return Buffer.concat(parts)
  }
  throw new Error('no response')
}
