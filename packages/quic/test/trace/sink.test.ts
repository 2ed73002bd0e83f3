import { describe, expect, it } from 'vitest'
import { encodeParameters } from '../../src/qlog/encoder.ts'
import type { TraceParameters } from '../../src/trace/sink.ts'
import { defaultTransportParameters } from '../../src/wire/transport-parameters/table.ts'

describe('TraceParameters', () => {
  it('is what wire TransportParameters are, field by field', () => {
    const parameters: TraceParameters = defaultTransportParameters()
    const encoded = encodeParameters('remote', parameters)
    expect(Object.fromEntries(Object.entries(encoded).filter(([, value]) => value !== undefined))).toMatchObject({
      initiator: 'remote',
      max_udp_payload_size: 65527,
      ack_delay_exponent: 3,
      max_ack_delay: 25,
      active_connection_id_limit: 2,
      disable_active_migration: false,
      initial_max_data: 0,
    })
    const camel = Object.keys(encoded).map((name) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))
    const ours = new Set(camel)
    // version_information and min_ack_delay have no field in quic:parameters_set.
    expect(Object.keys(parameters).filter((name) => !ours.has(name))).toEqual(['minAckDelay', 'versionInformation'])
  })
})
