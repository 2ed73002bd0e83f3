// examples/masque runs as it stands.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../..', import.meta.url))

it('examples/masque/main.ts works', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@quicwire/source', 'examples/masque/main.ts'], { cwd: root })
  let printed = ''
  child.stdout.on('data', (data: Buffer) => (printed += data.toString()))
  child.stderr.on('data', (data: Buffer) => (printed += data.toString()))
  try {
    expect(await once(child, 'close')).toEqual([0, null])
    expect(printed.split('\n')).toEqual([
      'UDP echo: hello',
      'HTTP/3: 200 You asked for /through/the/proxy',
      expect.stringMatching(/^TCP: the proxy answered 403 .*destination_ip_prohibited/),
      '',
    ])
  } finally {
    child.kill('SIGKILL')
  }
})
