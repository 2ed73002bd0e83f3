// aioquic as an endpoint of the runner, behind endpoint.py. It neither marks packets nor reads their marks.

import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../runner/endpoint.ts'
import { aioquic } from './peer.ts'

const python = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/aioquic/bin/python', import.meta.url))

export const aioquicEndpoint: Endpoint = {
  name: 'aioquic',
  roles: ['client', 'server'],
  install: () => aioquic.install(),
  command: () => [python, fileURLToPath(new URL('endpoint.py', import.meta.url))],
}
