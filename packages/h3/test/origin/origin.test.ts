import { describe, expect, it } from 'vitest'
import { MAX_ORIGIN_PAYLOAD } from '../../src/origin/origin-frame.ts'
import { MAX_ORIGIN_SET } from '../../src/origin/origin-set.ts'
import { Lab, ascii, frame, h3Pair, stateError, varint } from '../h3-pair.ts'

const entry = (origin: string): number[] => [origin.length >> 8, origin.length & 0xff, ...ascii(origin)]

describe('ORIGIN (RFC 9412, RFC 8336)', () => {
  it('a server sends origins, a client keeps the Origin Set', () => {
    const { client, server, run } = h3Pair({ initialOrigin: 'https://example.com' })
    expect(client.h3.originSet()).toBeNull()
    server.h3.sendOrigin(['https://a.example', 'https://b.example:8443'])
    run()
    expect(client.of('origin')).toEqual([{ kind: 'origin', origins: ['https://a.example', 'https://b.example:8443'] }])
    expect(client.h3.originSet()).toEqual(['https://example.com', 'https://a.example', 'https://b.example:8443'])
    server.h3.sendOrigin(['https://[::1]'])
    run()
    expect(client.h3.originSet()).toContain('https://[::1]')
    // RFC 8336 §2.3: after a 421.
    client.h3.forgetOrigin('https://a.example')
    expect(client.h3.originSet()).not.toContain('https://a.example')
  })
  it('an empty one initialises the set (RFC 8336 §2.3)', () => {
    const { client, server, run } = h3Pair({ initialOrigin: 'https://example.com' })
    server.h3.sendOrigin([])
    run()
    expect(client.of('origin')).toEqual([{ kind: 'origin', origins: [] }])
    expect(client.h3.originSet()).toEqual(['https://example.com'])
  })
  it.each<[string, 'client' | 'server', string, string[] | null, number[]]>([
    ['entries that are no origin are ignored (RFC 8336 §2.2)', 'client', 'ok', ['https://a'], ['', 'null', 'https://A', 'https://a/', 'https://a'].flatMap(entry)],
    ['a port beyond 65535', 'client', 'ok', [], entry('https://a:65536')],
    ['an entry cut short (RFC 9114 §7.1)', 'client', 'connection 0x106', null, entry('https://a').slice(0, -1)],
    ['a length cut short (RFC 9114 §7.1)', 'client', 'connection 0x106', null, [...entry('https://a'), 0]],
    ['to a server it is ignored (RFC 9412 §2)', 'server', 'ok', null, [0xff]],
  ])('%s', (_, role, outcome, origins, payload) => {
    for (const piece of [1, 1 << 20]) {
      const lab = new Lab(role)
      lab.write(lab.control, frame(0x0c, payload))
      lab.run(piece)
      expect(lab.outcome()).toBe(outcome)
      expect(lab.subject.h3.originSet()).toEqual(origins)
    }
  })
  it('on a request stream it is ignored (RFC 8336 §2.2)', () => {
    const lab = new Lab('client')
    const id = lab.request()
    lab.write(id, frame(0x0c, entry('https://a')))
    lab.run()
    expect(lab.outcome()).toBe('ok')
    expect(lab.subject.h3.originSet()).toBeNull()
  })
  it('is bounded: a long frame is skipped, the set stops growing (RFC 8336 §4)', () => {
    const lab = new Lab('client')
    lab.write(lab.control, [0x0c, ...varint(MAX_ORIGIN_PAYLOAD + 1), ...new Uint8Array(MAX_ORIGIN_PAYLOAD + 1)])
    lab.run()
    expect(lab.subject.h3.originSet()).toBeNull()
    for (let i = 0; i < 5; i++) {
      lab.write(lab.control, frame(0x0c, Array.from({ length: 400 }, (_, k) => entry(`https://h${i}-${k}.example`)).flat()))
    }
    lab.run()
    expect(lab.outcome()).toBe('ok')
    expect(lab.subject.h3.originSet()!.length).toBe(MAX_ORIGIN_SET)
  })
  it('wrong calls', () => {
    const { client, server } = h3Pair()
    expect(stateError(() => client.h3.sendOrigin([]))).toBe('H3_WRONG_ROLE')
    for (const origin of ['example.com', 'https://example.com/', 'HTTPS://example.com', 'https://\u00e9']) {
      expect(stateError(() => server.h3.sendOrigin([origin]))).toBe('H3_INVALID_ORIGIN')
    }
    const many = Array.from({ length: 2000 }, (_, i) => `https://host-${i}.example`)
    expect(stateError(() => server.h3.sendOrigin(many))).toBe('H3_INVALID_ORIGIN')
    expect(stateError(() => h3Pair({}, {}, false).server.h3.sendOrigin([]))).toBe('H3_NOT_STARTED')
  })
})
