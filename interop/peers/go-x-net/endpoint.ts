// golang.org/x/net's QUIC as an endpoint of the runner: its own interop program, behind run_endpoint.sh. No HTTP/3, resumption or ECN marks.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../runner/endpoint.ts'
import { runInstallScript } from '../install-script.ts'
import { STAYS_AT_THE_FIRST_ADDRESS } from '../shared-faults.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/go-x-net', import.meta.url))

const UNKNOWN_ADDRESS = 'its server drops packets from an address that is new to it, and sends to the old one to the end'

export const goXNetEndpoint: Endpoint = {
  name: 'go-x-net',
  roles: ['client', 'server'],
  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),
  faults: {
    'server: rebind-port': UNKNOWN_ADDRESS,
    'server: rebind-addr': UNKNOWN_ADDRESS,
    'client: connectionmigration': STAYS_AT_THE_FIRST_ADDRESS,
  },
  command: () => ['bash', fileURLToPath(new URL('run_endpoint.sh', import.meta.url)), join(directory, 'interop')],
}
