// Our own stack through its command line, as a user runs it. The client verifies the server's certificate.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import type { CaseFiles, Peer } from '../peer.ts'

const commandLine = ['--import', 'tsx', '--conditions=@quicwire/source', fileURLToPath(new URL('../../../packages/quicwire/src/cli/main.ts', import.meta.url))]

async function start(role: 'client' | 'server', args: readonly string[], files: CaseFiles): Promise<Child> {
  const qlog = join(files.logDirectory, `qlog-quicwire-${role}`)
  await mkdir(qlog, { recursive: true })
  return Child.start(process.execPath, [...commandLine, ...args], {
    name: role === 'client' ? 'quicwire get' : 'quicwire serve',
    logFile: join(files.logDirectory, `quicwire-${role}.log`),
    env: { QLOGDIR: qlog, SSLKEYLOGFILE: join(files.logDirectory, `quicwire-${role}.keys`) },
  })
}

export const quicwire: Peer = {
  name: 'quicwire',

  install: () => Promise.resolve('this tree'),

  async serve(root, files) {
    const identity = ['--cert', files.certificate, '--key', files.key]
    const server = await start('server', ['serve', '--root', root, '--host', '127.0.0.1', '--port', '0', ...identity, '--verbose'], files)
    const deadline = performance.now() + 20_000
    for (;;) {
      const ready = /^Serving .* at https:\/\/[^\s/]*:(\d+)/m.exec(server.output())
      if (ready !== null) {
        const stop = async (): Promise<void> => {
          const diedBefore = server.exited
          await server.stop(10_000)
          const { code, signal } = await server.exit
          if (diedBefore || code !== 0) throw new ProcessError(`quicwire serve ended with ${code ?? signal}${quoted(lastLine(server.output()))}`)
        }
        return { port: Number(ready[1]), stop }
      }
      if (server.exited) throw new ProcessError(`quicwire serve ended before it was ready${quoted(lastLine(server.output()))}`)
      if (performance.now() > deadline) {
        await server.stop()
        throw new ProcessError(`quicwire serve printed no ready line${quoted(lastLine(server.output()))}`)
      }
      await delay(50)
    }
  },

  async download(port, names, output, files, timeoutMs) {
    // Not by name: `localhost` may be ::1 first, and the servers listen on 127.0.0.1.
    const urls = names.map((name) => `https://127.0.0.1:${port}/${name}`)
    const client = await start('client', ['get', ...urls, '--output-dir', output, '--ca', files.certificate, '--fail', '--verbose'], files)
    const { code, signal } = await client.finish(timeoutMs)
    if (code !== 0) throw new ProcessError(`quicwire get ended with ${code ?? signal}${quoted(lastLine(client.output()))}`)
  },
}
