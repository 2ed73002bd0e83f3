// ngtcp2's example client and server (GnuTLS). The client ends with 0 whatever happens and does not verify certificates,
// so the downloaded file is the only proof; its complaints are on standard error.

import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../../process/quic-port.ts'
import { runInstallScript } from '../install-script.ts'
import { serverOf, type CaseFiles, type Peer, type RunningServer } from '../peer.ts'

// Debian installs the server in /usr/sbin, which is not on everybody's path.
const env = (keylog: string): Record<string, string> => ({ PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`, SSLKEYLOGFILE: keylog })

export const ngtcp2: Peer = {
  name: 'ngtcp2',

  dynamicTable: true,

  faults: {
    'server: download of 0 B': 'gtlsserver answers 404 for an empty file, which it cannot map into memory',
    'client: HelloRetryRequest on resumption':
      'gtlsclient installs the early key again with the second ClientHello, which its own assertion forbids (--disable-early-data or not)',
    'client: upload of 0 B': 'gtlsclient cannot map an empty file into memory',
  },

  install: () => runInstallScript(new URL('install.sh', import.meta.url)),

  serve: (root, files) => startServer(root, files, []),

  async download(port, names, output, files, timeoutMs) {
    const urls = names.map((name) => `https://localhost:${port}/${name}`)
    const complaint = await runClient(port, [`--download=${output}`], urls, files, timeoutMs)
    for (const name of names) if (!existsSync(join(output, name))) throw new ProcessError(`gtlsclient did not download ${name}${complaint}`)
  },

  async upload(port, path, file, files, timeoutMs) {
    await runClient(port, ['--http-method=POST', `--data=${file}`], [`https://localhost:${port}${path}`], files, timeoutMs)
  },

  tls: {
    groups: [],
    serve(root, wish, files) {
      const groups = wish.groups === null ? [] : [`--groups=${groupPriorities(wish.groups)}`]
      return startServer(root, files, [...groups, ...(wish.clientAuthority === null ? [] : ['--verify-client'])])
    },
    async visit(port, name, wish, files, timeoutMs) {
      const stored = [`--session-file=${join(files.logDirectory, 'session.pem')}`, `--tp-file=${join(files.logDirectory, 'parameters.txt')}`]
      const identity = wish.identity === null ? [] : [`--cert=${wish.identity.certificate}`, `--key=${wish.identity.key}`]
      const options = [...stored, ...identity, `--download=${files.logDirectory}`, ...(wish.early ? [] : ['--disable-early-data'])]
      for (let i = 0; i < wish.connections; i++) await runClient(port, options, [`https://localhost:${port}/${name}`], files, timeoutMs)
    },
  },
}

async function startServer(root: string, files: CaseFiles, more: readonly string[]): Promise<RunningServer> {
  const port = await freeUdpPort()
  const qlog = join(files.logDirectory, 'qlog-ngtcp2-server')
  await mkdir(qlog, { recursive: true })
  const args = ['--quiet', `--qlog-dir=${qlog}`, '-d', root, ...more, '127.0.0.1', String(port), files.key, files.certificate]
  const server = await Child.start('gtlsserver', args, {
    name: 'gtlsserver',
    logFile: join(files.logDirectory, 'ngtcp2-server.log'),
    env: env(join(files.logDirectory, 'ngtcp2-server.keys')),
  })
  await waitForQuicServer(server, port, 10_000)
  return serverOf(server, port)
}

/** As a GnuTLS priority string. */
function groupPriorities(groups: readonly string[]): string {
  return ['-GROUP-ALL', ...groups.map((name) => `+GROUP-${name.toUpperCase()}`)].join(':')
}

/** Resolves with its last words. */
async function runClient(port: number, options: readonly string[], urls: readonly string[], files: CaseFiles, timeoutMs: number): Promise<string> {
  const qlog = join(files.logDirectory, 'qlog-ngtcp2-client')
  await mkdir(qlog, { recursive: true })
  const args = ['--quiet', '--exit-on-all-streams-close', `--qlog-dir=${qlog}`, '--sni=localhost', ...options]
  const client = await Child.start('gtlsclient', [...args, '127.0.0.1', String(port), ...urls], {
    name: 'gtlsclient',
    logFile: join(files.logDirectory, 'ngtcp2-client.log'),
    env: env(join(files.logDirectory, 'ngtcp2-client.keys')),
  })
  const { code, signal } = await client.finish(timeoutMs)
  const complaint = quoted(lastLine(client.output()))
  if (code !== 0) throw new ProcessError(`gtlsclient ended with ${code ?? signal}${complaint}`)
  return complaint
}
