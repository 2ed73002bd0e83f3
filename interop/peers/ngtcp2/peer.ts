// ngtcp2's example client and server (GnuTLS). The client ends with 0 whatever happens and does not verify certificates,
// so the downloaded file is the only proof; its complaints are on standard error.

import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../../process/quic-port.ts'
import { runInstallScript } from '../install-script.ts'
import { serverOf, type Peer } from '../peer.ts'

// Debian installs the server in /usr/sbin, which is not on everybody's path.
const env = (keylog: string): Record<string, string> => ({ PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`, SSLKEYLOGFILE: keylog })

export const ngtcp2: Peer = {
  name: 'ngtcp2',

  install: () => runInstallScript(new URL('install.sh', import.meta.url)),

  async serve(root, files) {
    const port = await freeUdpPort()
    const qlog = join(files.logDirectory, 'qlog-ngtcp2-server')
    await mkdir(qlog, { recursive: true })
    const args = ['--quiet', `--qlog-dir=${qlog}`, '-d', root, '127.0.0.1', String(port), files.key, files.certificate]
    const server = await Child.start('gtlsserver', args, {
      name: 'gtlsserver',
      logFile: join(files.logDirectory, 'ngtcp2-server.log'),
      env: env(join(files.logDirectory, 'ngtcp2-server.keys')),
    })
    await waitForQuicServer(server, port, 10_000)
    return serverOf(server, port)
  },

  async download(port, name, output, files, timeoutMs) {
    const qlog = join(files.logDirectory, 'qlog-ngtcp2-client')
    await mkdir(qlog, { recursive: true })
    const args = ['--quiet', '--exit-on-all-streams-close', `--download=${output}`, `--qlog-dir=${qlog}`, '--sni=localhost']
    const client = await Child.start('gtlsclient', [...args, '127.0.0.1', String(port), `https://localhost:${port}/${name}`], {
      name: 'gtlsclient',
      logFile: join(files.logDirectory, 'ngtcp2-client.log'),
      env: env(join(files.logDirectory, 'ngtcp2-client.keys')),
    })
    const { code, signal } = await client.finish(timeoutMs)
    if (code !== 0) throw new ProcessError(`gtlsclient ended with ${code ?? signal}${quoted(lastLine(client.output()))}`)
    if (!existsSync(join(output, name))) throw new ProcessError(`gtlsclient downloaded nothing${quoted(lastLine(client.output()))}`)
  },
}
