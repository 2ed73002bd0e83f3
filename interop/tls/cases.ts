// The cases of both roles. What a handshake settled is read from our own end; that the peer agrees is shown by the download.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MemorySessionStore, type ClientTlsOptions, type ServerTlsOptions } from '@quicwire/driver'
import type { HandshakeInfo } from '@quicwire/quic'
import { sha256OfFile } from '../smoke/test-files.ts'
import type { CaseFiles, Peer, TlsClientWish, TlsServerWish } from '../peers/peer.ts'
import { visit } from './our-client.ts'
import { startServer } from './our-server.ts'
import type { TlsFiles } from './test-files.ts'

export interface TlsCase {
  readonly role: 'server' | 'client'
  readonly name: string
  /** Null when the peer's program cannot do it. Rejects when the case fails. */
  run(peer: Peer, files: TlsFiles, caseFiles: CaseFiles, timeoutMs: number): Promise<void> | null
}

const GROUPS = { secp256r1: 0x0017, secp384r1: 0x0018, x25519: 0x001d, x25519mlkem768: 0x11ec } as const
const SUITES = { TLS_AES_128_GCM_SHA256: 0x1301, TLS_AES_256_GCM_SHA384: 0x1302, TLS_CHACHA20_POLY1305_SHA256: 0x1303 } as const

const PLAIN_SERVER: TlsServerWish = { groups: null, clientAuthority: null, earlyData: false }
const PLAIN_CLIENT: TlsClientWish = { connections: 1, early: false, identity: null }

interface AgainstServer {
  readonly name: string
  readonly needs?: keyof typeof GROUPS
  readonly connections?: number
  readonly early?: boolean
  wish?(files: TlsFiles): Partial<TlsServerWish>
  tls?(files: TlsFiles): Promise<ClientTlsOptions>
  check(infos: readonly HandshakeInfo[]): void
}

/** Our client against the peer's server. */
function againstServer({ name, needs, connections = 1, early = false, wish, tls, check }: AgainstServer): TlsCase {
  return {
    role: 'server',
    name,
    run(peer, files, caseFiles) {
      if (peer.tls === undefined || (early && peer.tls.withoutHttp === true) || (needs !== undefined && !peer.tls.groups.includes(needs))) return null
      const starting = peer.tls.serve(files.root, { ...PLAIN_SERVER, ...wish?.(files) }, caseFiles)
      if (starting === null) return null
      return (async () => {
        const server = await starting
        try {
          const sessions = new MemorySessionStore()
          const infos: HandshakeInfo[] = []
          const options = { tls: (await tls?.(files)) ?? {}, sessions, request: peer.tls!.withoutHttp !== true, early }
          for (let i = 0; i < connections; i++) infos.push(await visit(server.port, files, caseFiles, options))
          check(infos)
        } finally {
          await server.stop()
        }
      })()
    },
  }
}

interface AgainstClient {
  readonly name: string
  readonly retries?: boolean
  readonly early?: boolean
  readonly needs?: keyof typeof GROUPS
  wish?(files: TlsFiles): Partial<TlsClientWish>
  tls?(files: TlsFiles): Promise<ServerTlsOptions>
  check(infos: readonly HandshakeInfo[], earlyRequests: number): void
}

/** The peer's client against our server. */
function againstClient({ name, needs, retries = false, early = false, wish, tls, check }: AgainstClient): TlsCase {
  return {
    role: 'client',
    name,
    run(peer, files, caseFiles, timeoutMs) {
      const { tls: peerTls } = peer
      if (peerTls === undefined || (retries && peerTls.withoutRetry === true) || (early && peerTls.withoutHttp === true)) return null
      if (needs !== undefined && !peerTls.groups.includes(needs)) return null
      return (async () => {
        const wished: TlsClientWish = { ...PLAIN_CLIENT, ...wish?.(files) }
        const server = await startServer(files, caseFiles, (await tls?.(files)) ?? {})
        try {
          await peerTls.visit(server.port, files.name, wished, caseFiles, timeoutMs)
          if (peerTls.withoutHttp !== true) {
            const received = await sha256OfFile(join(caseFiles.logDirectory, files.name))
            if (received !== files.sha256) throw new Error(`${files.name} arrived with SHA-256 ${received}`)
          }
          const infos = server.connections.flatMap(({ handshakeInfo }) => (handshakeInfo === null ? [] : [handshakeInfo]))
          equal('complete handshakes', infos.length, wished.connections)
          check(infos, server.earlyRequests)
        } finally {
          await server.listener.close()
        }
      })()
    },
  }
}

function equal<T>(what: string, actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, expected ${String(expected)}`)
}

const suiteNames = Object.keys(SUITES) as (keyof typeof SUITES)[]
const { secp256r1, secp384r1, x25519, x25519mlkem768 } = GROUPS

export const cases: readonly TlsCase[] = [
  againstServer({
    name: 'resumption',
    connections: 3,
    check: (infos) => equal('resumed', infos.map(({ resumed }) => resumed).join(), 'false,true,true'),
  }),
  againstServer({
    name: '0-RTT',
    connections: 3,
    early: true,
    wish: () => ({ earlyData: true }),
    check: (infos) => equal('early data taken', infos.map(({ earlyData }) => earlyData).join(), 'false,true,true'),
  }),
  againstServer({
    name: 'HelloRetryRequest',
    wish: () => ({ groups: ['secp256r1'] }),
    tls: () => Promise.resolve({ groups: [x25519, secp256r1], keyShares: [x25519] }),
    check([info]) {
      equal('group', info?.group, secp256r1)
      equal('retried', info?.helloRetry, true)
    },
  }),
  againstServer({
    name: 'HelloRetryRequest on resumption',
    connections: 2,
    wish: () => ({ groups: ['secp256r1'] }),
    tls: () => Promise.resolve({ groups: [x25519, secp256r1], keyShares: [x25519] }),
    check([, info]) {
      equal('resumed', info?.resumed, true)
      equal('retried', info?.helloRetry, true)
    },
  }),
  againstServer({
    name: 'client certificate',
    wish: (files) => ({ clientAuthority: files.clientAuthority }),
    tls: async ({ client }) => ({ certificates: [{ cert: await readFile(client.certificate, 'utf8'), key: await readFile(client.key, 'utf8') }] }),
    check: ([info]) => equal('resumed', info?.resumed, false),
  }),
  againstServer({
    name: 'X25519MLKEM768',
    needs: 'x25519mlkem768',
    tls: () => Promise.resolve({ groups: [x25519mlkem768] }),
    check: ([info]) => equal('group', info?.group, x25519mlkem768),
  }),
  ...suiteNames.map((name) =>
    againstServer({
      name,
      tls: () => Promise.resolve({ cipherSuites: [SUITES[name]] }),
      check: ([info]) => equal('cipher suite', info?.cipherSuite, SUITES[name]),
    }),
  ),
  againstClient({
    name: 'resumption',
    wish: () => ({ connections: 3 }),
    check: (infos) => equal('resumed', infos.map(({ resumed }) => resumed).join(), 'false,true,true'),
  }),
  againstClient({
    name: '0-RTT',
    early: true,
    wish: () => ({ connections: 3, early: true }),
    tls: () => Promise.resolve({ earlyData: true }),
    check(infos, earlyRequests) {
      equal('early data taken', infos.map(({ earlyData }) => earlyData).join(), 'false,true,true')
      equal('early requests', earlyRequests, 2)
    },
  }),
  againstClient({
    name: 'HelloRetryRequest',
    retries: true,
    tls: () => Promise.resolve({ groups: [secp384r1] }),
    check([info]) {
      equal('group', info?.group, secp384r1)
      equal('retried', info?.helloRetry, true)
    },
  }),
  againstClient({
    name: 'HelloRetryRequest on resumption',
    retries: true,
    wish: () => ({ connections: 2 }),
    tls: () => Promise.resolve({ groups: [secp384r1] }),
    check([, info]) {
      equal('resumed', info?.resumed, true)
      equal('retried', info?.helloRetry, true)
    },
  }),
  againstClient({
    name: 'client certificate',
    wish: ({ client }) => ({ identity: client }),
    tls: async (files) => ({ clientAuthentication: { required: true, ca: await readFile(files.clientAuthority, 'utf8') } }),
    check([info]) {
      equal('certificates', info?.peerCertificates.length, 1)
      equal('verified', info?.peerVerified, true)
    },
  }),
  againstClient({
    name: 'X25519MLKEM768',
    needs: 'x25519mlkem768',
    tls: () => Promise.resolve({ groups: [x25519mlkem768] }),
    check: ([info]) => equal('group', info?.group, x25519mlkem768),
  }),
  ...suiteNames.map((name) =>
    againstClient({
      name,
      tls: () => Promise.resolve({ cipherSuites: [SUITES[name]] }),
      check: ([info]) => equal('cipher suite', info?.cipherSuite, SUITES[name]),
    }),
  ),
]
