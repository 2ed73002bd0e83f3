// OpenSSL's own QUIC behind peer.c: handshakes only, which it does without early data. The client verifies our certificate against the case's own.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../../process/quic-port.ts'
import { runInstallScript } from '../install-script.ts'
import { serverOf, type CaseFiles, type Peer, type RunningServer, type TlsServerWish } from '../peer.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/openssl', import.meta.url))
const program = join(directory, 'peer')

export const openssl: Peer = {
  name: 'openssl',

  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),

  tls: {
    groups: ['x25519mlkem768'],
    withoutHttp: true,
    serve: (_root, wish, files) => startServer(wish, files),
    visit: (port, _name, wish, files, timeoutMs) => runClient(port, wish, files, timeoutMs),
  },
}

async function startServer(wish: TlsServerWish, files: CaseFiles): Promise<RunningServer> {
  const port = await freeUdpPort()
  const groups = wish.groups === null ? '-' : wish.groups.join(':')
  const authority = wish.clientAuthority === null ? [] : [wish.clientAuthority]
  const server = await Child.start(program, ['serve', String(port), files.certificate, files.key, groups, ...authority], {
    name: 'openssl server',
    logFile: join(files.logDirectory, 'openssl-server.log'),
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
    name: 'openssl client',
    logFile: join(files.logDirectory, 'openssl-client.log'),
  })
  const { code, signal } = await client.finish(timeoutMs)
  if (code !== 0) throw new ProcessError(`openssl client ended with ${code ?? signal}${quoted(lastLine(client.output()))}`)
}
