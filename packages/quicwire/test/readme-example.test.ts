// The README's server and client: the blocks shown are the files in examples/readme, and those run as they stand.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const node = ['--import', 'tsx', '--conditions=@quicwire/source']

function shownIn(readme: string): string[] {
  return [...readFileSync(`${root}${readme}`, 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map((block) => block[1]!)
}

it('the READMEs show the example files', () => {
  const files = ['server.mjs', 'client.mjs'].map((name) => readFileSync(`${root}examples/readme/${name}`, 'utf8'))
  expect(shownIn('README.md')).toEqual(files)
  expect(shownIn('packages/quicwire/README.md')).toEqual(files)
})

it('the README example works', async () => {
  const server = spawn(process.execPath, [...node, 'examples/readme/server.mjs'], { cwd: root, env: { ...process.env, PORT: '0' } })
  try {
    let ready = ''
    while (!ready.includes('\n')) ready += String(((await once(server.stdout, 'data')) as [Buffer])[0])
    const url = `${ready.split(' ')[0]!}hello`
    const client = spawn(process.execPath, [...node, 'examples/readme/client.mjs', url], { cwd: root })
    let printed = ''
    client.stdout.on('data', (data: Buffer) => (printed += data.toString()))
    expect(await once(client, 'close')).toEqual([0, null])
    expect(printed).toBe('200 You asked for /hello\n\n')
    server.kill('SIGINT')
    expect(await once(server, 'close')).toEqual([0, null])
  } finally {
    server.kill('SIGKILL')
  }
})
