import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Bbr, Cubic, NewReno, transportSettings, type TransportSettings } from '@quicwire/quic'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import { MemoryNetwork, OptionError, listen } from '../../src/index.ts'
import { controllerPart, transportPart, type QuicSettings } from '../../src/settings/quic-settings.ts'
import { clientTls } from '../../src/tls/tls-options.ts'
import { certificate } from '../support.ts'

/** None of them a default. */
const OTHERS: TransportSettings = {
  maxIdleTimeout: 1,
  handshakeTimeout: 2,
  initialMaxData: 3,
  initialMaxStreamData: 4,
  initialMaxStreamsBidi: 5,
  initialMaxStreamsUni: 6,
  maxConnectionWindow: 7,
  maxStreamWindow: 8,
  sendBufferLimit: 9,
  maxDatagramFrameSize: 10,
  dropOldestDatagrams: true,
  maxUdpPayloadSize: 1201,
  datagramSize: 1202,
  mtuDiscovery: false,
  maxProbeSize: 1300,
  ecnCapable: true,
  maxAckDelay: 11,
  ackDelayExponent: 12,
  ackFrequency: false,
  skipPacketNumbers: false,
  initialRtt: 13,
  activeConnectionIdLimit: 14,
  disableActiveMigration: true,
  keepAliveInterval: 15,
  grease: false,
  greaseQuicBit: false,
  resetStreamAt: false,
}

describe('settings', () => {
  it('[63] settings timeouts_parse_as_milliseconds: all times are, also from JSON', () => {
    const parsed = JSON.parse('{"handshakeTimeout":5000,"maxIdleTimeout":7000}') as QuicSettings
    const settings = transportSettings(transportPart(parsed))
    expect(settings).toMatchObject({ handshakeTimeout: 5000, maxIdleTimeout: 7000 })
  })

  it('of the transport all reach the engine, each as it was given', () => {
    const defaults = transportSettings(transportPart({}))
    expect(Object.keys(OTHERS).sort()).toEqual(Object.keys(defaults).sort())
    for (const [name, value] of Object.entries(OTHERS)) {
      expect([name, defaults[name as keyof TransportSettings]]).not.toEqual([name, value])
      expect(transportPart({ [name]: value })).toMatchObject({ [name]: value })
    }
  })

  it('name the congestion controller, or bring one', async () => {
    const made = (settings: QuicSettings): unknown => controllerPart(settings).createController?.(1200)
    expect(made({})).toBeUndefined()
    expect(made({ ccAlgorithm: 'cubic' })).toBeInstanceOf(Cubic)
    expect(made({ ccAlgorithm: 'reno' })).toBeInstanceOf(NewReno)
    expect(made({ ccAlgorithm: 'bbr' })).toBeInstanceOf(Bbr)
    expect(made({ ccAlgorithm: 'bbr', createController: (mtu) => new Cubic(mtu) })).toBeInstanceOf(Cubic)
    const settings = JSON.parse('{"ccAlgorithm":"vegas"}') as QuicSettings
    const asked = listen({ socket: new MemoryNetwork().bind(), tls: { certificates: [certificate] }, settings })
    await expect(asked).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION', message: expect.stringContaining('cubic, reno, bbr, not vegas') as string })
  })

  it('of the model are all accounted for, and those of the same default have it', () => {
    const page = readFileSync(new URL('../../../../docs/decisions/0011-quic-settings.md', import.meta.url), 'utf8')
    const rows = page.split('\n').filter((line) => line.startsWith('| `'))
    expect(rows).toHaveLength(47)
    const defaults = transportSettings(transportPart({}))
    let compared = 0
    for (const row of rows) {
      const [, , theirs = '', ours = '', why = ''] = row.split('|').map((cell) => cell.trim())
      expect(why).not.toBe('')
      const name = /^`(\w+)`$/.exec(ours)?.[1]
      if (name === undefined || !(name in OTHERS) || !why.startsWith('the same')) continue
      const scale = theirs.endsWith('MiB') ? 1024 * 1024 : 1
      const value = theirs === 'true' ? true : theirs === 'false' ? false : Number.parseFloat(theirs.replaceAll(' ', '')) * scale
      expect([name, defaults[name as keyof TransportSettings]]).toEqual([name, value])
      compared++
    }
    expect(compared).toBeGreaterThan(9)
  })
})

describe('what clients trust', () => {
  it('certificates are verified unless somebody says insecure (B25)', () => {
    expect(clientTls({}, 'example.org', null, nodeProvider).verify).toMatchObject({ mode: 'chain' })
    expect(clientTls({ insecure: true }, 'example.org', null, nodeProvider).verify).toEqual({ mode: 'insecure' })
    expect(() => clientTls({ ca: 'nothing' }, 'example.org', null, nodeProvider)).toThrow(OptionError)
  })
})
