// aioquic behind client.py and server.py. The client verifies our certificate against the case's own.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../../process/quic-port.ts'
import { runInstallScript } from '../install-script.ts'
import { serverOf, type Peer } from '../peer.ts'

const environment = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/aioquic', import.meta.url))
const python = join(environment, 'bin', 'python')
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export const aioquic: Peer = {
  name: 'aioquic',

  install: () => runInstallScript(new URL('install.sh', import.meta.url), [environment]),

  async serve(root, files) {
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
  },

  async download(port, name, output, files, timeoutMs) {
    const qlog = join(files.logDirectory, 'qlog-aioquic-client')
    await mkdir(qlog, { recursive: true })
    const logs = ['--qlog-dir', qlog, '--keylog', join(files.logDirectory, 'aioquic-client.keys')]
    const args = [`https://localhost:${port}/${name}`, '--output', join(output, name), '--ca', files.certificate, ...logs]
    const client = await Child.start(python, [script('client.py'), ...args], {
      name: 'aioquic client.py',
      logFile: join(files.logDirectory, 'aioquic-client.log'),
    })
    const { code, signal } = await client.finish(timeoutMs)
    if (code !== 0) throw new ProcessError(`aioquic client.py ended with ${code ?? signal}${quoted(lastLine(client.output()))}`)
  },
}
