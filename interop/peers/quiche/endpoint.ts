// quiche behind src/bin/quiche-endpoint, as an endpoint.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../runner/endpoint.ts'
import { runInstallScript } from '../install-script.ts'
import { STAYS_AT_THE_FIRST_ADDRESS } from '../shared-faults.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/quiche', import.meta.url))

const LOST_ON_THE_OLD_PATH = 'what was under way to the old address is never sent again: a hole in the stream stays, while packets and acknowledgments go on'

export const quicheEndpoint: Endpoint = {
  name: 'quiche',
  roles: ['client', 'server'],
  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),
  command: () => [join(directory, 'release', 'quiche-endpoint')],
  faults: {
    'server: rebind-port': LOST_ON_THE_OLD_PATH,
    'server: rebind-addr': LOST_ON_THE_OLD_PATH,
    'client: connectionmigration': STAYS_AT_THE_FIRST_ADDRESS,
  },
}
