// Which transport parameters of a server outlive the connection (RFC 9000 §7.4.1, RFC 9221 §3).

import { describe, expect, it } from 'vitest'
import {
  decodeRememberedParameters,
  encodeRememberedParameters,
  reducedLimit,
  rememberedParameters,
} from '../../src/wire/transport-parameters/remembered.ts'
import { defaultTransportParameters } from '../../src/wire/transport-parameters/table.ts'

const declared = {
  ...defaultTransportParameters(),
  originalDestinationConnectionId: Uint8Array.of(1),
  initialSourceConnectionId: Uint8Array.of(2),
  retrySourceConnectionId: Uint8Array.of(3),
  statelessResetToken: new Uint8Array(16),
  ackDelayExponent: 7,
  maxAckDelay: 99,
  maxIdleTimeout: 11_000,
  maxUdpPayloadSize: 1400,
  initialMaxData: 1,
  initialMaxStreamDataBidiLocal: 2,
  initialMaxStreamDataBidiRemote: 3,
  initialMaxStreamDataUni: 4,
  initialMaxStreamsBidi: 5,
  initialMaxStreamsUni: 6,
  activeConnectionIdLimit: 7,
  disableActiveMigration: true,
  maxDatagramFrameSize: 1000,
  greaseQuicBit: true,
  resetStreamAt: true,
  versionInformation: { chosen: 1, available: [1] },
}

describe('remembered transport parameters', () => {
  it('are those that hold for 0-RTT packets; the others have their defaults', () => {
    expect(rememberedParameters(declared)).toEqual({
      ...defaultTransportParameters(),
      maxIdleTimeout: 11_000,
      maxUdpPayloadSize: 1400,
      initialMaxData: 1,
      initialMaxStreamDataBidiLocal: 2,
      initialMaxStreamDataBidiRemote: 3,
      initialMaxStreamDataUni: 4,
      initialMaxStreamsBidi: 5,
      initialMaxStreamsUni: 6,
      activeConnectionIdLimit: 7,
      disableActiveMigration: true,
      maxDatagramFrameSize: 1000,
      resetStreamAt: true,
    })
  })

  it('survive their encoding', () => {
    expect(decodeRememberedParameters(encodeRememberedParameters(declared))).toEqual(rememberedParameters(declared))
  })

  it('name the one that has become smaller; larger ones are fine', () => {
    const remembered = rememberedParameters(declared)
    expect(reducedLimit(remembered, declared)).toBeNull()
    expect(reducedLimit(remembered, { ...declared, initialMaxData: 2 ** 50, maxIdleTimeout: 1 })).toBeNull()
    for (const name of [
      'activeConnectionIdLimit', 'initialMaxData', 'initialMaxStreamDataBidiLocal', 'initialMaxStreamDataBidiRemote',
      'initialMaxStreamDataUni', 'initialMaxStreamsBidi', 'initialMaxStreamsUni', 'maxDatagramFrameSize',
    ] as const) {
      expect(reducedLimit(remembered, { ...declared, [name]: declared[name] - 1 })).toBe(name)
    }
    expect(reducedLimit(remembered, { ...declared, resetStreamAt: false })).toBe('resetStreamAt')
    expect(reducedLimit({ ...remembered, resetStreamAt: false }, declared)).toBeNull()
  })
})
