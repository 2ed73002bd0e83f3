// quic-go with its http3 package, behind main.go. The client verifies our certificate against the case's own.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../../process/quic-port.ts'
import { runInstallScript } from '../install-script.ts'
import { serverOf, type CaseFiles, type Peer, type PeerAnswer, type RunningServer } from '../peer.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/quic-go', import.meta.url))
const program = join(directory, 'peer')

export const quicGo: Peer = {
  name: 'quic-go',

  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),

  serve: (root, files) => startServer(root, files, []),

  answersConversation: true,

  async download(port, names, output, files, timeoutMs) {
    const urls = names.map((name) => `https://127.0.0.1:${port}/${name}`)
    await runClient('get', ['--output', output, ...urls], files, timeoutMs)
  },

  async exchange(port, request, files, timeoutMs) {
    const body = request.upload === null ? [] : ['--upload', request.upload]
    const args = ['--method', request.method, '--fields', String(request.fields), ...body, `https://127.0.0.1:${port}${request.path}`]
    return JSON.parse(await runClient('exchange', args, files, timeoutMs)) as PeerAnswer
  },

  tls: {
    groups: ['x25519mlkem768'],
    serve(root, wish, files) {
      const curves = wish.groups === null ? [] : ['--curves', wish.groups.map((name) => CURVES[name]!).join()]
      return startServer(root, files, [...curves, ...(wish.clientAuthority === null ? [] : ['--client-ca', wish.clientAuthority])])
    },
    async visit(port, name, wish, files, timeoutMs) {
      const identity = wish.identity === null ? [] : ['--certificate', wish.identity.certificate, '--key', wish.identity.key]
      const many = ['--connections', String(wish.connections), ...(wish.early ? ['--early'] : [])]
      await runClient('get', ['--output', files.logDirectory, ...many, ...identity, `https://127.0.0.1:${port}/${name}`], files, timeoutMs)
    },
  },
}

async function startServer(root: string, files: CaseFiles, more: readonly string[]): Promise<RunningServer> {
  const port = await freeUdpPort()
  const qlog = join(files.logDirectory, 'qlog-quic-go-server')
  await mkdir(qlog, { recursive: true })
  const identity = ['--certificate', files.certificate, '--key', files.key]
  const logs = ['--qlog', qlog, '--keylog', join(files.logDirectory, 'quic-go-server.keys')]
  const server = await Child.start(program, ['serve', '--listen', `127.0.0.1:${port}`, '--root', root, ...identity, ...logs, ...more], {
    name: 'quic-go server',
    logFile: join(files.logDirectory, 'quic-go-server.log'),
  })
  await waitForQuicServer(server, port, 10_000)
  return serverOf(server, port)
}

/** As crypto/tls calls them. */
const CURVES: Readonly<Record<string, string>> = {
  secp256r1: 'CurveP256',
  secp384r1: 'CurveP384',
  x25519: 'X25519',
  x25519mlkem768: 'X25519MLKEM768',
}

/** Resolves with the last line of its output. */
async function runClient(command: 'get' | 'exchange', args: readonly string[], files: CaseFiles, timeoutMs: number): Promise<string> {
  const qlog = join(files.logDirectory, 'qlog-quic-go-client')
  await mkdir(qlog, { recursive: true })
  const logs = ['--qlog', qlog, '--keylog', join(files.logDirectory, 'quic-go-client.keys')]
  const client = await Child.start(program, [command, '--ca', files.certificate, ...logs, ...args], {
    name: 'quic-go client',
    logFile: join(files.logDirectory, 'quic-go-client.log'),
  })
  const { code, signal } = await client.finish(timeoutMs)
  const last = lastLine(client.output())
  if (code !== 0) throw new ProcessError(`quic-go client ended with ${code ?? signal}${quoted(last)}`)
  return last
}
