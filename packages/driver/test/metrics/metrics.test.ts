import { afterEach, describe, expect, it } from 'vitest'
import type { CloseReason } from '@quicwire/quic'
import { countClose } from '../../src/metrics/close-metrics.ts'
import { MemoryMetrics, MemoryNetwork, PrometheusMetrics, listen, type CounterName } from '../../src/index.ts'
import { GET, certificate, h3Pair, request, respond, settle, type Pair } from '../support.ts'

let pair: Pair | null = null
afterEach(async () => {
  await pair?.close()
  pair = null
})

const CLOSES: readonly CounterName[] = [
  'local_h3_conn_close_error_count',
  'peer_h3_conn_close_error_count',
  'local_quic_conn_close_error_count',
  'peer_quic_conn_close_error_count',
]

/** The four counters of closes, in the order of CLOSES. */
function closes(metrics: MemoryMetrics): number[] {
  return CLOSES.map((name) => metrics.counter(name))
}

async function serverThatEnds(end: (both: Pair) => void): Promise<MemoryMetrics> {
  const metrics = new MemoryMetrics()
  pair = await h3Pair({ serverMetrics: metrics, server: { postAcceptTimeout: 60_000 } })
  await settle()
  end(pair)
  await pair.server.closed
  return metrics
}

describe('conn_close_metrics', () => {
  it('[9] peer_quic_error_on_ok_result: a transport close by the peer', async () => {
    const metrics = await serverThatEnds(({ client }) => void client.close({ application: false, code: 1 }))
    expect(closes(metrics)).toEqual([0, 0, 0, 1])
    expect(metrics.counter('peer_quic_conn_close_error_count', 'INTERNAL_ERROR')).toBe(1)
    expect(pair!.server.auditStats).toMatchObject({ recvdConnCloseTransportErrorCode: 1, sentConnCloseTransportErrorCode: -1 })
  })

  it('[10] peer_h3_error_on_ok_result: an application close by the peer', async () => {
    const metrics = await serverThatEnds(({ client }) => void client.close({ code: 0x100 }))
    expect(closes(metrics)).toEqual([0, 1, 0, 0])
    expect(metrics.counter('peer_h3_conn_close_error_count', 'H3_NO_ERROR')).toBe(1)
    expect(pair!.server.auditStats).toMatchObject({ recvdConnCloseApplicationErrorCode: 0x100 })
  })

  it('[11] local_quic_error_on_err_result: a transport close of our own', async () => {
    const metrics = await serverThatEnds(({ server }) => void server.close({ application: false, code: 1 }))
    expect(closes(metrics)).toEqual([0, 0, 1, 0])
    expect(pair!.server.auditStats).toMatchObject({ sentConnCloseTransportErrorCode: 1, recvdConnCloseTransportErrorCode: -1 })
  })

  it('codes go by their registered names', () => {
    const metrics = new MemoryMetrics()
    const reason: CloseReason = { cause: 'peer', application: true, code: 0, frameType: 0, reason: '', error: null }
    for (const code of [0x10c, 0x21 + 0x1f * 5, 0x4242, 2n ** 60n]) countClose(metrics, { ...reason, code }, true)
    for (const code of [0x0a, 0x150, 0x77]) countClose(metrics, { ...reason, application: false, code }, true)
    const byLabel = (name: CounterName): unknown => Object.fromEntries(metrics.allCounters().get(name) ?? [])
    expect(byLabel('peer_h3_conn_close_error_count')).toEqual({ H3_REQUEST_CANCELLED: 1, H3_GREASE: 1, H3_UNKNOWN: 2 })
    expect(byLabel('peer_quic_conn_close_error_count')).toEqual({ PROTOCOL_VIOLATION: 1, CRYPTO_ERROR: 1, QUIC_UNKNOWN: 1 })
    expect(metrics.counter('failed_handshakes')).toBe(0)
    const failed: CloseReason = { ...reason, application: false }
    countClose(metrics, { ...failed, cause: 'handshake-timeout', code: 0x0c }, false)
    countClose(metrics, { ...failed, cause: 'local', code: 0x12a }, false)
    countClose(metrics, { ...failed, code: 2 }, false)
    countClose(metrics, { ...failed, cause: 'version-negotiation' }, false)
    expect(byLabel('failed_handshakes')).toEqual({ timeout: 1, cryptofail: 1, disconnect: 1, other: 1 })
    expect(metrics.counter('local_quic_conn_close_error_count', 'APPLICATION_ERROR')).toBe(1)
  })
})

describe('metrics of a listener', () => {
  it('follow a connection from its first packet until nothing of it is left', async () => {
    const metrics = new PrometheusMetrics()
    pair = await h3Pair({ serverMetrics: metrics })
    expect(metrics.counter('accepted_initial_packet_count')).toBe(1)
    expect(metrics.gaugeValue('connections_in_memory')).toBe(1)
    expect(metrics.histogram('handshake_time_seconds', 'handshakeprotocol')).toMatchObject({ count: 1 })
    const exchange = await request(pair, GET)
    await respond(pair, exchange, true)
    await pair.client.close()
    await pair.server.whenFinished()
    expect(metrics.gaugeValue('connections_in_memory')).toBe(0)
    expect(Math.abs(metrics.gaugeValue('utilized_bandwidth'))).toBeLessThan(1e-6)
    expect(pair.server.auditStats.transportHandshakeDuration).toBeGreaterThan(0)
    expect(pair.server.auditStats.quicConnectionId).toEqual(pair.client.auditStats.quicConnectionId)
    expect(pair.server.auditStats.connectionCloseReason).toBeNull()
  })
})

describe('datagrams that come too fast', () => {
  it('are dropped beyond 2048 of one address, and counted', async () => {
    const metrics = new MemoryMetrics()
    const network = new MemoryNetwork()
    const listener = await listen({ socket: network.bind('10.0.0.1', 4433), tls: { certificates: [certificate] }, metrics })
    const flood = network.bind('10.0.0.2')
    const path = flood.path('10.0.0.1', 4433)
    for (let i = 0; i < 3000; i++) {
      flood.acquire().fill(0x40, 0, 50)
      flood.send(50, path, 0)
    }
    await settle()
    expect(listener.droppedDatagrams).toBe(3000 - 2048)
    expect(metrics.counter('udp_drop_count')).toBe(3000 - 2048)
    await flood.close()
    await listener.close()
  })
})

describe('Prometheus text', () => {
  it('has a head for each name, labels, and cumulative buckets', () => {
    const metrics = new PrometheusMetrics('q_')
    metrics.count('udp_drop_count', '', 3)
    metrics.count('failed_handshakes', 'a "quoted"\n\\ one')
    metrics.gauge('connections_in_memory', 2)
    metrics.gauge('connections_in_memory', -1)
    for (const seconds of [0.003, 0.2, 0.2, 99]) metrics.observe('handshake_time_seconds', seconds, 'handshakeprotocol')
    const text = metrics.text()
    expect(text).toContain('# TYPE q_udp_drop_count counter\nq_udp_drop_count 3\n')
    expect(text).toContain('q_failed_handshakes{reason="a \\"quoted\\"\\n\\\\ one"} 1\n')
    expect(text).toContain('# TYPE q_connections_in_memory gauge\nq_connections_in_memory 1\n')
    expect(text).toContain('q_handshake_time_seconds_bucket{stage="handshakeprotocol",le="0.005"} 1\n')
    expect(text).toContain('q_handshake_time_seconds_bucket{stage="handshakeprotocol",le="0.25"} 3\n')
    expect(text).toContain('q_handshake_time_seconds_bucket{stage="handshakeprotocol",le="+Inf"} 4\n')
    expect(text).toContain('q_handshake_time_seconds_count{stage="handshakeprotocol"} 4\n')
    expect(text.endsWith('\n')).toBe(true)
    expect(() => new PrometheusMetrics('9')).toThrow(RangeError)
  })

  it('labels are bounded, whoever makes them', () => {
    const metrics = new MemoryMetrics()
    for (let i = 0; i < 1000; i++) metrics.count('failed_handshakes', `reason ${i}`)
    expect(metrics.allCounters().get('failed_handshakes')!.size).toBe(257)
    expect(metrics.counter('failed_handshakes')).toBe(1000)
  })
})

describe('statistics of a connection', () => {
  it('Stats and ConnectionStats are of the moment of the command', async () => {
    pair = await h3Pair()
    await respond(pair, await request(pair), true)
    const seen: unknown[] = []
    const commands = pair.clientController.cmdSender()
    commands.send({ kind: 'Stats', callback: (stats) => seen.push(stats) })
    commands.send({ kind: 'ConnectionStats', callback: (stats) => seen.push(stats) })
    await settle(4)
    const [flat, whole] = seen as [Record<string, number>, { stats: Record<string, number>; pathStats: Record<string, number> }]
    expect(flat).toMatchObject({ packetsSent: whole.stats['packetsSent'], rtt: whole.pathStats['smoothedRtt'], packetsLost: 0 })
    expect(flat['pmtu']).toBeGreaterThanOrEqual(1200)
    expect(flat['bytesRecvd']).toBeGreaterThan(0)
    const before = flat['packetsSent']!
    await respond(pair, await request(pair), true)
    expect(flat['packetsSent']).toBe(before)
    expect(whole.stats['packetsSent']).toBe(before)
    expect(pair.client.socketStats().packetsSent).toBeGreaterThan(before)
  })
})
