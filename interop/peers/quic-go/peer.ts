// quic-go with its http3 package, behind main.go. The client verifies our certificate against the case's own.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../../process/quic-port.ts'
import { runInstallScript } from '../install-script.ts'
import { serverOf, type Peer } from '../peer.ts'

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

  async download(port, name, output, files, timeoutMs) {
    const qlog = join(files.logDirectory, 'qlog-quic-go-client')
    await mkdir(qlog, { recursive: true })
    const logs = ['--qlog', qlog, '--keylog', join(files.logDirectory, 'quic-go-client.keys')]
    const args = ['get', '--ca', files.certificate, '--output', output, ...logs, `https://127.0.0.1:${port}/${name}`]
    const client = await Child.start(program, args, {
      name: 'quic-go client',
      logFile: join(files.logDirectory, 'quic-go-client.log'),
    })
    const { code, signal } = await client.finish(timeoutMs)
    if (code !== 0) throw new ProcessError(`quic-go client ended with ${code ?? signal}${quoted(lastLine(client.output()))}`)
  },
}
