import { expect, test } from 'vitest'
import { endpointEnvironment, EnvironmentError } from '../environment.ts'

test('a client of the runner in its container', () => {
  const environment = endpointEnvironment({
    ROLE: 'client',
    TESTCASE: 'transfer',
    REQUESTS: 'https://server4:443/a-b-c https://server4:443/d-e-f',
  })
  expect(environment).toMatchObject({ role: 'client', testcase: 'transfer', www: '/www', downloads: '/downloads', certificates: '/certs' })
  expect(environment.requests.map(({ pathname }) => pathname)).toEqual(['/a-b-c', '/d-e-f'])
})

test('a server is told nothing but its test case', () => {
  const environment = endpointEnvironment({ ROLE: 'server', TESTCASE: 'retry', REQUESTS: '' })
  expect(environment).toMatchObject({ role: 'server', testcase: 'retry', requests: [], listenAddress: '::', listenPort: 443, preferredAddresses: {} })
})

test('places and preferred addresses may be others', () => {
  const environment = endpointEnvironment({
    ROLE: 'server',
    TESTCASE: 'connectionmigration',
    WWW: '/tmp/www',
    CERTS: '/tmp/certs',
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '4433',
    PREFERRED_ADDRESSES: '193.167.100.100:4443 [fd00:cafe:cafe:100::100]:4443',
  })
  expect(environment).toMatchObject({ www: '/tmp/www', certificates: '/tmp/certs', listenAddress: '127.0.0.1', listenPort: 4433 })
  expect(environment.preferredAddresses).toEqual({ ipv4: '193.167.100.100:4443', ipv6: '[fd00:cafe:cafe:100::100]:4443' })
  expect(environment.preferredListen).toEqual([
    { host: '193.167.100.100', port: 4443 },
    { host: 'fd00:cafe:cafe:100::100', port: 4443 },
  ])
})

test('behind a relay a server listens elsewhere than its clients are told', () => {
  const environment = endpointEnvironment({ ROLE: 'server', PREFERRED_ADDRESSES: '127.0.0.1:4443', PREFERRED_LISTEN: '127.0.0.1:5000' })
  expect(environment.preferredAddresses).toEqual({ ipv4: '127.0.0.1:4443' })
  expect(environment.preferredListen).toEqual([{ host: '127.0.0.1', port: 5000 }])
})

test.each([
  [{}],
  [{ ROLE: 'both' }],
  [{ ROLE: 'client', REQUESTS: 'server4/file' }],
  [{ ROLE: 'client', REQUESTS: 'http://server4/file' }],
  [{ ROLE: 'server', LISTEN_PORT: 'https' }],
  [{ ROLE: 'server', PREFERRED_ADDRESSES: 'server4' }],
])('%j makes no sense', (env) => {
  expect(() => endpointEnvironment(env)).toThrow(EnvironmentError)
})
