import { describe, expect, it } from 'vitest'
import { transportSettings } from '@quicwire/quic'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import { OptionError } from '../../src/index.ts'
import { transportPart, type QuicSettings } from '../../src/settings/quic-settings.ts'
import { clientTls } from '../../src/tls/tls-options.ts'

describe('settings', () => {
  it('[63] settings timeouts_parse_as_milliseconds: all times are, also from JSON', () => {
    const parsed = JSON.parse('{"handshakeTimeout":5000,"maxIdleTimeout":7000}') as QuicSettings
    const settings = transportSettings(transportPart(parsed))
    expect(settings).toMatchObject({ handshakeTimeout: 5000, maxIdleTimeout: 7000 })
  })
})

describe('what clients trust', () => {
  it('certificates are verified unless somebody says insecure (B25)', () => {
    expect(clientTls({}, 'example.org', null, nodeProvider).verify).toMatchObject({ mode: 'chain' })
    expect(clientTls({ insecure: true }, 'example.org', null, nodeProvider).verify).toEqual({ mode: 'insecure' })
    expect(() => clientTls({ ca: 'nothing' }, 'example.org', null, nodeProvider)).toThrow(OptionError)
  })
})
