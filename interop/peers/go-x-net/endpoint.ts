// golang.org/x/net's QUIC as an endpoint of the runner: its own interop program, behind run_endpoint.sh. No HTTP/3, resumption or ECN marks.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../runner/endpoint.ts'
import { runInstallScript } from '../install-script.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/go-x-net', import.meta.url))

export const goXNetEndpoint: Endpoint = {
  name: 'go-x-net',
  roles: ['client', 'server'],
  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),
  command: () => ['bash', fileURLToPath(new URL('run_endpoint.sh', import.meta.url)), join(directory, 'interop')],
}
