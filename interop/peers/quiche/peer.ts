// quiche with BoringSSL behind src/main.rs: handshakes only. The client verifies our certificate against the case's own.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../../process/quic-port.ts'
import { runInstallScript } from '../install-script.ts'
import { serverOf, type CaseFiles, type Peer, type RunningServer, type TlsServerWish } from '../peer.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/quiche', import.meta.url))
const program = join(directory, 'release', 'quiche-peer')

export const quiche: Peer = {
  name: 'quiche',

  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),

  tls: {
    groups: ['x25519mlkem768'],
    withoutHttp: true,
    serve: (_root, wish, files) => startServer(wish, files),
    visit: (port, _name, wish, files, timeoutMs) => runClient(port, wish, files, timeoutMs),
  },
}

/** As BoringSSL calls them. */
const CURVES: Readonly<Record<string, string>> = { secp256r1: 'P-256', secp384r1: 'P-384', x25519: 'X25519', x25519mlkem768: 'X25519MLKEM768' }

async function startServer(wish: TlsServerWish, files: CaseFiles): Promise<RunningServer> {
  const port = await freeUdpPort()
  const groups = wish.groups === null ? '-' : wish.groups.map((name) => CURVES[name]!).join(':')
  const authority = wish.clientAuthority === null ? [] : [wish.clientAuthority]
  const server = await Child.start(program, ['serve', String(port), files.certificate, files.key, groups, ...authority], {
    name: 'quiche server',
    logFile: join(files.logDirectory, 'quiche-server.log'),
  })
  await waitForQuicServer(server, port, 10_000)
  return serverOf(server, port)
}

type Identity = { readonly certificate: string; readonly key: string } | null

async function runClient(
  port: number,
  { connections, identity }: { readonly connections: number; readonly identity: Identity },
  files: CaseFiles,
  timeoutMs: number,
): Promise<void> {
  const shown = identity === null ? [] : [identity.certificate, identity.key]
  const client = await Child.start(program, ['visit', String(port), files.certificate, String(connections), ...shown], {
    name: 'quiche client',
    logFile: join(files.logDirectory, 'quiche-client.log'),
  })
  const { code, signal } = await client.finish(timeoutMs)
  if (code !== 0) throw new ProcessError(`quiche client ended with ${code ?? signal}${quoted(lastLine(client.output()))}`)
}
