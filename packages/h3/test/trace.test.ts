// What a traced connection says: draft-ietf-quic-qlog-h3-events, through both ends of a real exchange.

import { describe, expect, it } from 'vitest'
import { H3QlogTrace, SettingId } from '../src/index.ts'
import type { H3Config, H3TraceSink, Header, QlogJson } from '../src/index.ts'
import { h3Pair as pair } from './h3-pair.ts'

type Recorded = readonly [name: string, data: { readonly [name: string]: QlogJson }]

class Recorder {
  readonly events: Recorded[] = []
  readonly trace: H3TraceSink = new H3QlogTrace({ write: (_now, name, data) => void this.events.push([name, data]) }, () => 5)
  of(name: string): { readonly [name: string]: QlogJson }[] {
    return this.events.filter(([each]) => each === `http3:${name}`).map(([, data]) => data)
  }
}

const REQUEST: readonly Header[] = [
  [':method', 'GET'], [':scheme', 'https'], [':authority', 'a.test'], [':path', '/'], ['priority', 'u=1, i'],
]

function exchange(config: H3Config = {}): { client: Recorder; server: Recorder } {
  const client = new Recorder()
  const server = new Recorder()
  const ends = pair({ ...config, trace: client.trace }, { ...config, trace: server.trace })
  const id = ends.client.h3.sendRequest(REQUEST, true)
  ends.run()
  ends.client.h3.setPriority(id, 5, false)
  ends.run()
  ends.server.h3.sendHeaders(id, [[':status', '200'], ['x', 'y']], { fin: false })
  ends.server.h3.sendBody(id, new Uint8Array(300), true)
  ends.run()
  ends.server.h3.sendOrigin(['https://a.test'])
  ends.server.h3.sendGoaway()
  ends.run()
  return { client, server }
}

describe('the events of a connection (h3-events §3)', () => {
  it('§3.1 parameters_set: both sides of SETTINGS on both sides, unknown ones under a number', () => {
    const { client, server } = exchange({ grease: false, enableConnectProtocol: true, additionalSettings: [[0x4d44, 7]] })
    const sent = client.of('parameters_set').find(({ initiator }) => initiator === 'local')!
    const received = server.of('parameters_set').find(({ initiator }) => initiator === 'remote')!
    expect(sent).toMatchObject({ max_field_section_size: 32768, setting_0x4d44: 7 })
    expect({ ...received, initiator: 'local' }).toEqual(sent)
  })

  it('§3.2 parameters_restored: what 0-RTT begins with', () => {
    const client = new Recorder()
    pair({ trace: client.trace, rememberedSettings: [[SettingId.maxFieldSectionSize, 4096]] })
    expect(client.of('parameters_restored')).toEqual([{ max_field_section_size: 4096 }])
  })

  it('§3.3 stream_type_set: every stream once on each side', () => {
    const { client, server } = exchange()
    const types = (recorder: Recorder, initiator: string): QlogJson[] =>
      recorder.of('stream_type_set').filter((data) => data['initiator'] === initiator).map(({ stream_type }) => stream_type)
    expect(types(client, 'local').toSorted()).toEqual(['control', 'qpack_decode', 'qpack_encode', 'request', 'reserved'])
    expect(types(server, 'remote').toSorted()).toEqual(types(client, 'local').toSorted())
    expect(types(client, 'remote').toSorted()).toEqual(['control', 'qpack_decode', 'qpack_encode', 'reserved'])
  })

  it('§3.4 priority_updated: by the field, then by PRIORITY_UPDATE', () => {
    const { server } = exchange()
    expect(server.of('priority_updated').map((data) => data['new'])).toEqual(['', 'u=1, i', 'u=5'])
  })

  it('§3.5, §3.6 frame_created and frame_parsed: what one side makes the other reads', () => {
    const { client, server } = exchange({ grease: false })
    expect(client.of('frame_parsed')).toEqual(server.of('frame_created'))
    expect(server.of('frame_parsed')).toEqual(client.of('frame_created'))
    const kinds = server.of('frame_created').map(({ frame }) => (frame as { frame_type: string }).frame_type)
    expect(kinds).toEqual(['settings', 'headers', 'data', 'origin', 'goaway'])
    expect(server.of('frame_created')[1]).toMatchObject({
      stream_id: 0,
      frame: { frame_type: 'headers', headers: [{ name: ':status', value: '200' }, { name: 'x', value: 'y' }] },
    })
    expect(server.of('frame_created')[2]).toEqual({ stream_id: 0, frame: { frame_type: 'data', raw: { payload_length: 300 } } })
  })

  it('§4.2.8 reserved frames are told as such', () => {
    const { client } = exchange()
    const kinds = client.of('frame_parsed').map(({ frame }) => (frame as { frame_type: string }).frame_type)
    expect(kinds).toContain('reserved')
  })

  it('§3.7, §3.8 datagram_created and datagram_parsed', () => {
    const client = new Recorder()
    const server = new Recorder()
    const shared: H3Config = { enableDatagrams: true, anyDatagrams: true }
    const ends = pair({ ...shared, trace: client.trace }, { ...shared, trace: server.trace }, false)
    for (const end of [ends.client, ends.server]) {
      end.transport.datagramLimit = 1200
      end.h3.start()
    }
    ends.run()
    const id = ends.client.h3.sendRequest(REQUEST, false)
    expect(ends.client.h3.sendDatagram(id, new Uint8Array(9))).toBe(true)
    ends.run()
    expect(ends.server.h3.receiveDatagram()?.payload).toHaveLength(9)
    expect(client.of('datagram_created')).toEqual([{ quarter_stream_id: 0, raw: { payload_length: 9 } }])
    expect(server.of('datagram_parsed')).toEqual(client.of('datagram_created'))
  })

  it('§4.2.2 bytes that are no text go as hex', () => {
    const recorder = new Recorder()
    recorder.trace.frameParsed(0, { type: 'headers', length: 3, headers: [['Bad', 'a\u0001'], [':path', '/']] })
    expect(recorder.of('frame_parsed')).toEqual([
      {
        stream_id: 0,
        frame: {
          frame_type: 'headers',
          headers: [{ name_bytes: '426164', value_bytes: '6101' }, { name: ':path', value: '/' }],
          raw: { payload_length: 3 },
        },
      },
    ])
  })
})
