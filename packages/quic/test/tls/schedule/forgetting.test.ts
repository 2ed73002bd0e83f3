// Secrets do not outlive their use: what the schedule is made of is zero when a handshake is over, and what was handed out is not.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { cipherSuite, type CryptoProvider } from '../../../src/crypto/provider.ts'
import { EarlySchedule } from '../../../src/tls/schedule/key-schedule.ts'
import { clientConfig, Pair, serverConfig } from '../handshake.ts'

const zeros = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

describe('the key schedule', () => {
  it('overwrites the secret of a stage when the next is made, and its own when told', () => {
    const made: Uint8Array[] = []
    const provider: CryptoProvider = {
      ...nodeProvider,
      hmac(name, key, data) {
        const result = nodeProvider.hmac(name, key, data)
        made.push(result)
        return result
      },
    }
    const hash = new Uint8Array(32).fill(1)
    const early = new EarlySchedule(provider, cipherSuite(0x1301), null)
    const [earlySecret] = made
    expect(zeros(earlySecret!)).toBe(false)
    const handshake = early.handshake(new Uint8Array(32).fill(2), hash)
    expect(zeros(earlySecret!)).toBe(true)
    const application = handshake.application(hash)
    const traffic = [handshake.clientSecret, handshake.serverSecret]
    expect(traffic.some(zeros)).toBe(false)
    handshake.destroy()
    expect(traffic.every(zeros)).toBe(true)
    const before = application.exportKeyingMaterial('EXPORTER-x', new Uint8Array(0), 32)
    application.retainExporter()
    expect([application.clientSecret, application.serverSecret].every(zeros)).toBe(true)
    expect(application.exportKeyingMaterial('EXPORTER-x', new Uint8Array(0), 32)).toEqual(before)
  })

  it('gives keys out as copies: they are whole after the handshake, and the same on both sides', () => {
    const pair = new Pair(clientConfig({ groups: [0x001d] }), serverConfig()).run()
    const secrets = (events: typeof pair.clientEvents, direction: 'read' | 'write'): Uint8Array[] =>
      events.flatMap((event) => (event.kind === 'keys' && event.direction === direction ? [event.secret] : []))
    const clientWrites = secrets(pair.clientEvents, 'write')
    const serverWrites = secrets(pair.serverEvents, 'write')
    expect([clientWrites.length, serverWrites.length]).toEqual([2, 2])
    expect([...clientWrites, ...serverWrites].some(zeros)).toBe(false)
    expect(secrets(pair.serverEvents, 'read')).toEqual(clientWrites)
    expect(secrets(pair.clientEvents, 'read')).toEqual(serverWrites)
  })
})
