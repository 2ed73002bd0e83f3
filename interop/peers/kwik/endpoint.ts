// kwik as an endpoint of the runner, with flupke for HTTP/3, behind Endpoint.java. Only its clients write a key log; it writes no qlog.

import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../runner/endpoint.ts'
import { runInstallScript } from '../install-script.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/kwik', import.meta.url))

export const kwikEndpoint: Endpoint = {
  name: 'kwik',
  roles: ['client', 'server'],
  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),
  command: () => ['java', '-XX:+UseSerialGC', '-cp', `${directory}/classes:${directory}/lib/*`, 'Endpoint'],
}
