// aioquic behind client.py and server.py. The client verifies our certificate against the case's own.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../../process/quic-port.ts'
import { runInstallScript } from '../install-script.ts'
import { serverOf, type CaseFiles, type Peer, type PeerAnswer, type RunningServer } from '../peer.ts'

const environment = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/aioquic', import.meta.url))
const python = join(environment, 'bin', 'python')
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export const aioquic: Peer = {
  name: 'aioquic',

  dynamicTable: true,

  faults: { 'client: HEAD': 'its client compares content-length with the content it did not ask for (RFC 9110 §8.6 allows the field)' },

  install: () => runInstallScript(new URL('install.sh', import.meta.url), [environment]),

  serve: startServer,

  answersConversation: true,

  async download(port, names, output, files, timeoutMs) {
    const urls = names.map((name) => `https://localhost:${port}/${name}`)
    await runClient([...urls, '--output', output], files, timeoutMs)
  },

  async exchange(port, request, files, timeoutMs) {
    const body = request.upload === null ? [] : ['--upload', request.upload]
    const args = ['--exchange', '--method', request.method, '--fields', String(request.fields), ...body]
    return JSON.parse(await runClient([`https://localhost:${port}${request.path}`, ...args], files, timeoutMs)) as PeerAnswer
  },

  tls: {
    groups: [],
    withoutRetry: true,
    // It has neither a choice of groups nor HelloRetryRequest, nor a public way to ask for certificates.
    serve: (root, wish, files) => (wish.groups !== null || wish.clientAuthority !== null ? null : startServer(root, files)),
    async visit(port, name, wish, files, timeoutMs) {
      const identity = wish.identity === null ? [] : ['--certificate', wish.identity.certificate, '--key', wish.identity.key]
      const many = ['--connections', String(wish.connections), ...(wish.early ? ['--early'] : [])]
      await runClient([`https://localhost:${port}/${name}`, '--output', files.logDirectory, ...many, ...identity], files, timeoutMs)
    },
  },
}

async function startServer(root: string, files: CaseFiles): Promise<RunningServer> {
  const port = await freeUdpPort()
  const qlog = join(files.logDirectory, 'qlog-aioquic-server')
  await mkdir(qlog, { recursive: true })
  const args = ['--port', String(port), '--root', root, '--certificate', files.certificate, '--key', files.key, '--qlog-dir', qlog]
  const server = await Child.start(python, [script('server.py'), ...args], {
    name: 'aioquic server.py',
    logFile: join(files.logDirectory, 'aioquic-server.log'),
  })
  await waitForQuicServer(server, port, 10_000)
  return serverOf(server, port)
}

/** Resolves with the last line of its output. */
async function runClient(args: readonly string[], files: CaseFiles, timeoutMs: number): Promise<string> {
  const qlog = join(files.logDirectory, 'qlog-aioquic-client')
  await mkdir(qlog, { recursive: true })
  const logs = ['--qlog-dir', qlog, '--keylog', join(files.logDirectory, 'aioquic-client.keys')]
  const client = await Child.start(python, [script('client.py'), ...args, '--ca', files.certificate, ...logs], {
    name: 'aioquic client.py',
    logFile: join(files.logDirectory, 'aioquic-client.log'),
  })
  const { code, signal } = await client.finish(timeoutMs)
  const last = lastLine(client.output())
  if (code !== 0) throw new ProcessError(`aioquic client.py ended with ${code ?? signal}${quoted(last)}`)
  return last
}
