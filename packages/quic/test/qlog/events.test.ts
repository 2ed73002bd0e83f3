import { describe, expect, it } from 'vitest'
import { keyTypeName, lossTriggerName, packetTypeName, spaceName, transportErrorName, uint64 } from '../../src/qlog/events.ts'
import { RecoverySpace } from '../../src/recovery/pto.ts'
import { LossTrigger } from '../../src/recovery/sent-packet.ts'
import { EncryptionLevel, PacketType, TransportErrorCode } from '../../src/wire/constants.ts'

describe('names of the drafts, against the numbers of the wire', () => {
  it('packet types', () => {
    expect(Object.fromEntries(Object.entries(PacketType).map(([name, value]) => [name, packetTypeName(value)]))).toEqual({
      initial: 'initial',
      zeroRtt: '0RTT',
      handshake: 'handshake',
      retry: 'retry',
      versionNegotiation: 'version_negotiation',
      oneRtt: '1RTT',
    })
    expect(packetTypeName(-1)).toBe('unknown')
  })

  it('transport errors: the same words in snake case', () => {
    for (const [name, code] of Object.entries(TransportErrorCode)) {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      const expected = { crypto_error: 'crypto_error_0x100', version_negotiation_error: 'unknown' }
      expect(transportErrorName(code)).toBe(expected[snake as keyof typeof expected] ?? snake)
    }
    expect(transportErrorName(0x1ff)).toBe('crypto_error_0x1ff')
    expect(transportErrorName(0x200)).toBe('unknown')
    expect(transportErrorName(2n ** 61n)).toBe('unknown')
  })

  it('keys, spaces, loss triggers', () => {
    expect(keyTypeName(EncryptionLevel.initial, 'client')).toBe('client_initial_secret')
    expect(keyTypeName(EncryptionLevel.earlyData, 'client')).toBe('client_0rtt_secret')
    expect(keyTypeName(EncryptionLevel.handshake, 'server')).toBe('server_handshake_secret')
    expect(keyTypeName(EncryptionLevel.application, 'server')).toBe('server_1rtt_secret')
    expect([RecoverySpace.initial, RecoverySpace.handshake, RecoverySpace.application, -1].map(spaceName)).toEqual([
      'initial',
      'handshake',
      'application_data',
      undefined,
    ])
    expect([LossTrigger.none, LossTrigger.reorderingThreshold, LossTrigger.timeThreshold].map(lossTriggerName)).toEqual([
      undefined,
      'reordering_threshold',
      'time_threshold',
    ])
  })

  it('uint64 beyond the safe integers as strings (main-schema §11.3)', () => {
    expect(uint64(5)).toBe(5)
    expect(uint64(5n)).toBe(5)
    expect(uint64(2n ** 53n - 1n)).toBe(2 ** 53 - 1)
    expect(uint64(2n ** 53n)).toBe('9007199254740992')
  })
})
