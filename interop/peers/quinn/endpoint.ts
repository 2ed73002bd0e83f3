// quinn behind src/main.rs, as an endpoint.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../runner/endpoint.ts'
import { runInstallScript } from '../install-script.ts'
import { STAYS_AT_THE_FIRST_ADDRESS } from '../shared-faults.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/quinn', import.meta.url))

export const quinnEndpoint: Endpoint = {
  name: 'quinn',
  roles: ['client', 'server'],
  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),
  command: () => [join(directory, 'release', 'quinn-endpoint')],
  faults: { 'client: connectionmigration': STAYS_AT_THE_FIRST_ADDRESS },
}
