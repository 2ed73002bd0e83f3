// quic-go as an endpoint of the runner, behind endpoint/*.go. The library has no compatible version negotiation (v2), serves no preferred
// address, and follows none.

import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../runner/endpoint.ts'
import { quicGo } from './peer.ts'
import { STAYS_AT_THE_FIRST_ADDRESS } from '../shared-faults.ts'

const program = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/quic-go/endpoint', import.meta.url))

export const quicGoEndpoint: Endpoint = {
  name: 'quic-go',
  roles: ['client', 'server'],
  install: () => quicGo.install(),
  command: () => [program],
  faults: {
    'client: connectionmigration': STAYS_AT_THE_FIRST_ADDRESS,
  },
}
