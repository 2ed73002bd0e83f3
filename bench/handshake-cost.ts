// What a handshake costs in processor time, both ends together: the TLS engine alone, whole QUIC connections, and node:tls over a pair of
// streams in memory, all with the same P-256 key, verified against the same root, with X25519 and AES-128-GCM.

import { Duplex } from 'node:stream'
import { connect, createSecureContext, TLSSocket } from 'node:tls'
// The engine alone is no entry point of the package: it comes from the sources, and knows their classes only.
import { TrustAnchors as PackageTrustAnchors } from '@quicwire/quic'
import { nodeProvider, nodeRandom } from '../packages/quic/src/crypto/node/index.ts'
import { nobleProvider } from '../packages/quic/src/crypto/noble/index.ts'
import { NamedGroup, type CryptoProvider } from '../packages/quic/src/crypto/provider.ts'
import { createDevCertificate } from '../packages/quic/src/tls/certificates/development.ts'
import { TrustAnchors } from '../packages/quic/src/tls/certificates/roots.ts'
import { TlsEngine } from '../packages/quic/src/tls/engine.ts'
import { ServerTickets } from '../packages/quic/src/tls/resumption/server-tickets.ts'
import { MemorySessionStore } from '../packages/quic/src/tls/resumption/session-store.ts'
import { answer } from './child.ts'
import { ConnectionPair } from './connection-pair.ts'
import { beside, microsecondsEach } from './rounds.ts'

const NAME = 'bench.example'

export interface HandshakeCost {
  /** Milliseconds of processor time, median of the rounds. */
  readonly milliseconds: number
  /** node:tls in the same rounds. */
  readonly reference: number
  /** Median of the rounds' ratios. */
  readonly ratio: number
}

const identity = createDevCertificate(nodeProvider, { names: [NAME], unixTimeMs: Date.now() })
const roots = TrustAnchors.from([identity.certificate])
const packageRoots = PackageTrustAnchors.from([identity.certificate])
const PARAMETERS = Uint8Array.of(4, 1, 10)

type Handshake = () => void | Promise<void>

/** One pair of engines for each handshake; with `resumed` all but the first resume. */
function engines(provider: CryptoProvider, resumed: boolean, group: NamedGroup): Handshake {
  const sessions = new MemorySessionStore()
  const tickets = new ServerTickets(provider)
  const certificates = [{ chain: [identity.certificate], key: provider.importPrivateKey(identity.privateKey) }]
  return () => {
    const common = { provider, random: nodeRandom, alpn: ['h3'], groups: [group], transportParameters: PARAMETERS, timeOrigin: Date.now() }
    const verify = { mode: 'chain', roots, unixTimeMs: Date.now() } as const
    const client = new TlsEngine({ ...common, role: 'client', serverName: NAME, verify, ...(resumed ? { sessions } : {}) })
    const server = new TlsEngine({ ...common, role: 'server', certificates, ...(resumed ? { tickets } : {}) })
    client.start()
    for (let moved = true; moved; ) moved = [carry(client, server), carry(server, client)].some(Boolean)
    if (!client.complete || !server.complete) throw new Error('the handshake did not complete')
  }
}

function carry(from: TlsEngine, to: TlsEngine): boolean {
  let any = false
  for (let event = from.poll(); event !== null; event = from.poll()) {
    any = true
    if (event.kind === 'crypto') to.receive(event.level, event.bytes)
  }
  return any
}

/** Everything that QUIC adds: packets, their keys and protection, acknowledgments, connection IDs. */
function connections(provider: CryptoProvider): Handshake {
  const certificate = { chain: [identity.certificate], key: provider.importPrivateKey(identity.privateKey) }
  return () => {
    const pair = new ConnectionPair({ provider, certificate, groups: [NamedGroup.x25519], roots: packageRoots })
    let confirmed = false
    pair.onClient = (event) => {
      if (event.kind === 'confirmed') confirmed = true
    }
    pair.runUntil(() => confirmed)
  }
}

class Pipe extends Duplex {
  other: Pipe | null = null
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.other!.push(chunk)
    done()
  }
  override _final(done: () => void): void {
    this.other!.push(null)
    done()
  }
}

function nodeTls(resumed: boolean): Handshake {
  const { certificatePem: cert, privateKeyPem: key } = identity
  const serverContext = createSecureContext({ cert, key, minVersion: 'TLSv1.3' })
  const clientContext = createSecureContext({ ca: cert, minVersion: 'TLSv1.3' })
  let session: Buffer | undefined
  return () =>
    new Promise<void>((resolve, reject) => {
      const [a, b] = [new Pipe(), new Pipe()]
      a.other = b
      b.other = a
      const server = new TLSSocket(b, { isServer: true, secureContext: serverContext, ALPNProtocols: ['h3'] })
      const options = { socket: a, secureContext: clientContext, servername: NAME, ALPNProtocols: ['h3'], ecdhCurve: 'X25519' }
      const client = connect(resumed && session !== undefined ? { ...options, session } : options)
      let waiting = 2
      const done = (): void => {
        if (--waiting > 0) return
        const asked = client.isSessionReused() === (session !== undefined)
        client.destroy()
        server.destroy()
        if (asked) resolve()
        else reject(new Error('node:tls resumed a session it was not to resume, or the other way round'))
      }
      server.once('secure', done)
      if (resumed && session === undefined) {
        // Tickets are read with data.
        client.resume()
        client.once('session', (ticket: Buffer) => {
          done()
          session = ticket
        })
      } else client.once('secureConnect', done)
      for (const end of [client, server]) end.once('error', reject)
    })
}

async function milliseconds(handshake: Handshake, count: number): Promise<number> {
  const work = async (): Promise<void> => {
    for (let i = 0; i < count; i++) await handshake()
  }
  return (await microsecondsEach(count, work)) / 1000
}

async function costBeside(handshake: Handshake, reference: Handshake, count: number): Promise<HandshakeCost> {
  const cost = await beside(() => milliseconds(handshake, count), () => milliseconds(reference, count))
  return { milliseconds: cost.ours, reference: cost.reference, ratio: cost.ratio }
}

const measures: Readonly<Record<string, () => Promise<HandshakeCost>>> = {
  'full node': () => costBeside(engines(nodeProvider, false, NamedGroup.x25519), nodeTls(false), 100),
  'resumed node': () => costBeside(engines(nodeProvider, true, NamedGroup.x25519), nodeTls(true), 100),
  'full noble': () => costBeside(engines(nobleProvider, false, NamedGroup.x25519), nodeTls(false), 20),
  'resumed noble': () => costBeside(engines(nobleProvider, true, NamedGroup.x25519), nodeTls(true), 20),
  'hybrid node': () => costBeside(engines(nodeProvider, false, NamedGroup.x25519MlKem768), nodeTls(false), 30),
  'quic node': () => costBeside(connections(nodeProvider), nodeTls(false), 50),
}

answer((request) => measures[request]!())
