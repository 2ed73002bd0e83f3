// kwik as an endpoint of the runner, with flupke for HTTP/3, behind Endpoint.java. Only its clients write a key log; it writes no qlog.

import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../runner/endpoint.ts'
import { runInstallScript } from '../install-script.ts'
import { STAYS_AT_THE_FIRST_ADDRESS } from '../shared-faults.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/kwik', import.meta.url))

const UNKNOWN_ADDRESS = 'its server drops packets from an address that is new to it, and sends to the old one to the end'

export const kwikEndpoint: Endpoint = {
  name: 'kwik',
  roles: ['client', 'server'],
  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),
  faults: {
    'server: rebind-port': UNKNOWN_ADDRESS,
    'server: rebind-addr': UNKNOWN_ADDRESS,
    'server: http3':
      'flupke ends the connection with H3_FRAME_UNEXPECTED when a request begins with a frame of a reserved type, which RFC 9114 §7.2.8 and §9 have it ignore',
    'client: connectionmigration': STAYS_AT_THE_FIRST_ADDRESS,
  },
  command: () => ['java', '-XX:+UseSerialGC', '-cp', `${directory}/classes:${directory}/lib/*`, 'Endpoint'],
}
