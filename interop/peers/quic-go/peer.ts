// quic-go with its http3 package, behind main.go. The client verifies our certificate against the case's own.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../../process/quic-port.ts'
import { runInstallScript } from '../install-script.ts'
import { serverOf, type CaseFiles, type Peer, type PeerAnswer } from '../peer.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/quic-go', import.meta.url))
const program = join(directory, 'peer')

export const quicGo: Peer = {
  name: 'quic-go',

  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),

  async serve(root, files) {
    const port = await freeUdpPort()
    const qlog = join(files.logDirectory, 'qlog-quic-go-server')
    await mkdir(qlog, { recursive: true })
    const identity = ['--certificate', files.certificate, '--key', files.key]
    const logs = ['--qlog', qlog, '--keylog', join(files.logDirectory, 'quic-go-server.keys')]
    const server = await Child.start(program, ['serve', '--listen', `127.0.0.1:${port}`, '--root', root, ...identity, ...logs], {
      name: 'quic-go server',
      logFile: join(files.logDirectory, 'quic-go-server.log'),
    })
    await waitForQuicServer(server, port, 10_000)
    return serverOf(server, port)
  },

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
