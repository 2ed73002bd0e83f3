// quiche behind src/bin/quiche-endpoint, as an endpoint.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../runner/endpoint.ts'
import { runInstallScript } from '../install-script.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/quiche', import.meta.url))

export const quicheEndpoint: Endpoint = {
  name: 'quiche',
  roles: ['client', 'server'],
  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),
  command: () => [join(directory, 'release', 'quiche-endpoint')],
}
