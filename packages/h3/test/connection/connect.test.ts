import { describe, expect, it } from 'vitest'
import { H3ErrorCode, SettingId, usesCapsuleProtocol } from '../../src/index.ts'
import type { Header } from '../../src/index.ts'
import { GET, Lab, OK, ascii, h3Pair, headersFrame, stateError } from '../h3-pair.ts'

describe('extended CONNECT (RFC 9220)', () => {
  const websocket = [[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'websocket']] as const
  it('needs the server to have enabled it', () => {
    const off = h3Pair()
    expect(stateError(() => off.client.h3.sendRequest(websocket, false))).toBe('H3_EXTENDED_CONNECT_DISABLED')
    const on = h3Pair({}, { enableConnectProtocol: true })
    const id = on.client.h3.sendRequest(websocket, false)
    on.run()
    expect(on.server.of('headers')[0]!.headers).toEqual(websocket)
    on.server.h3.sendHeaders(id, OK, { fin: false })
    on.run()
    expect(on.client.story(id)).toEqual(['headers'])
  })
  it('refuses :protocol outside CONNECT (RFC 8441 §4)', () => {
    const lab = new Lab('server', { enableConnectProtocol: true })
    lab.write(lab.request(), headersFrame([...GET, [':protocol', 'websocket']]), true)
    lab.run()
    expect(lab.outcome()).toBe('stream 0x10e')
  })
  it('the setting is 0 for a client that remembers 1 only until the server says otherwise', () => {
    const { client } = h3Pair({ rememberedSettings: [[SettingId.enableConnectProtocol, 1]] }, {}, false)
    client.h3.start()
    // 0-RTT: the remembered value holds (RFC 9114 §7.2.4.2).
    expect(client.h3.sendRequest(websocket, false)).toBe(0)
  })
  it('a stream ends each way by itself, and a reset is an error (§3)', () => {
    const pair = h3Pair({}, { enableConnectProtocol: true })
    const { client, server, run } = pair
    const id = client.h3.sendRequest(websocket, false)
    run()
    server.h3.sendHeaders(id, OK, { fin: false })
    client.h3.sendBody(id, ascii('bye'), true)
    run()
    expect(server.story(id)).toEqual(['headers', 'data', 'finished'])
    expect(server.h3.isSendable(id)).toBe(true)
    server.h3.abort(id, 0x10c)
    run()
    expect(client.of('reset')).toEqual([{ kind: 'reset', streamId: id, code: 0x10c, retryable: false }])
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })
})

describe('the Capsule Protocol in heads (RFC 9297 §3.2, §3.4)', () => {
  const connect = (...more: Header[]): Header[] => [[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'connect-udp'], ...more]
  const on: Header = ['capsule-protocol', '?1']
  it.each<[string, string, Header[]]>([
    ['content-length', 'stream 0x10e', [on, ['content-length', '5']]],
    ['content-type', 'stream 0x10e', [on, ['content-type', 'text/plain']]],
    ['parameters are ignored', 'stream 0x10e', [['capsule-protocol', '?1;a=b'], ['content-length', '5']]],
    ['fine: not in use', 'ok', [['capsule-protocol', '?0'], ['content-length', '5']]],
    ['fine: no Boolean is no field', 'ok', [['capsule-protocol', '1'], ['content-length', '5']]],
    ['fine: twice is a List', 'ok', [on, on, ['content-length', '5']]],
    ['fine: in use', 'ok', [on]],
  ])('request: %s', (_, outcome, fields) => {
    const lab = new Lab('server', { enableConnectProtocol: true })
    lab.write(lab.request(), headersFrame(connect(...fields)))
    lab.run()
    expect(lab.outcome()).toBe(outcome)
  })
  it.each<[string, string, Header[]]>([
    ['204', 'stream 0x10e', [[':status', '204'], on]],
    ['205', 'stream 0x10e', [[':status', '205'], on]],
    ['206', 'stream 0x10e', [[':status', '206'], on]],
    ['content-length', 'stream 0x10e', [...OK, on, ['content-length', '0']]],
    ['content-type', 'stream 0x10e', [...OK, on, ['content-type', 'a/b']]],
    ['fine: 200', 'ok', [...OK, on]],
    ['fine: an error has content of its own', 'ok', [[':status', '404'], on, ['content-length', '5']]],
  ])('response: %s', (_, outcome, fields) => {
    const lab = new Lab('client', {}, [0x08, 1])
    const id = lab.request(connect())
    lab.write(id, headersFrame(fields))
    lab.run()
    expect(lab.outcome()).toBe(outcome)
  })
  it('are held against what we send', () => {
    const { client, server, run } = h3Pair({}, { enableConnectProtocol: true })
    expect(stateError(() => client.h3.sendRequest(connect(on, ['content-length', '1']), false))).toBe('H3_INVALID_FIELDS')
    const id = client.h3.sendRequest(connect(on), false)
    run()
    expect(stateError(() => server.h3.sendHeaders(id, [[':status', '206'], on], { fin: false }))).toBe('H3_INVALID_FIELDS')
    expect(stateError(() => server.h3.sendHeaders(id, [[':status', '404'], on], { fin: true }))).toBe('H3_INVALID_FIELDS')
    expect(usesCapsuleProtocol(server.of('headers')[0]!.headers)).toBe(true)
    expect(usesCapsuleProtocol([on, on])).toBe(false)
    expect(usesCapsuleProtocol(GET)).toBe(false)
  })
})

describe('CONNECT (RFC 9114 §4.4)', () => {
  const tunnel: readonly Header[] = [[':method', 'CONNECT'], [':authority', 'example.com:443']]
  it('takes no trailers once it is a tunnel', () => {
    const { client, server, run } = h3Pair()
    const id = client.h3.sendRequest(tunnel, false)
    run()
    expect(stateError(() => client.h3.sendHeaders(id, [['x', 'y']], { fin: true, trailers: true }))).toBe('H3_MESSAGE_STATE')
    server.h3.sendHeaders(id, OK, { fin: false })
    expect(stateError(() => server.h3.sendHeaders(id, [['x', 'y']], { fin: true, trailers: true }))).toBe('H3_MESSAGE_STATE')
  })
  it('refused, it is answered like any request', () => {
    const { client, server, run } = h3Pair()
    const id = client.h3.sendRequest(tunnel, false)
    run()
    server.h3.sendHeaders(id, [[':status', '403'], ['content-length', '2']], { fin: false })
    server.h3.sendBody(id, ascii('no'), false)
    server.h3.sendHeaders(id, [['x', 'y']], { fin: true, trailers: true })
    run()
    expect(client.story(id)).toEqual(['headers', 'data', 'trailers', 'finished'])
  })
  it('either side may end its direction alone; an error of the far connection is H3_CONNECT_ERROR', () => {
    const { client, server, run } = h3Pair()
    const id = client.h3.sendRequest(tunnel, false)
    run()
    server.h3.sendHeaders(id, OK, { fin: false })
    client.h3.sendBody(id, ascii('last words'), true)
    run()
    expect(server.story(id).at(-1)).toBe('finished')
    server.h3.sendBody(id, ascii('still here'), false)
    run()
    expect(client.body(id)).toBe('still here')
    server.h3.abort(id, H3ErrorCode.connectError)
    run()
    expect(client.of('reset')).toEqual([{ kind: 'reset', streamId: id, code: 0x10f, retryable: false }])
    expect(client.story(id)).not.toContain('finished')
  })
})
