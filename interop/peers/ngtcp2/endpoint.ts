// ngtcp2's example programs (GnuTLS) as an endpoint of the runner, behind run_endpoint.sh: HTTP/3 only.

import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../runner/endpoint.ts'
import { ngtcp2 } from './peer.ts'

export const ngtcp2Endpoint: Endpoint = {
  name: 'ngtcp2',
  roles: ['client', 'server'],
  install: () => ngtcp2.install(),
  command: () => ['bash', fileURLToPath(new URL('run_endpoint.sh', import.meta.url))],
}
