// The key schedule and the transcript against RFC 8448 §3, over both providers.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EMPTY, fromHex, toHex } from '../../../src/base/bytes.ts'
import { hkdfExpandLabel, hkdfExtract } from '../../../src/crypto/hkdf.ts'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { nobleProvider } from '../../../src/crypto/noble/index.ts'
import { cipherSuite } from '../../../src/crypto/provider.ts'
import { encodeFinished } from '../../../src/tls/codec/finished.ts'
import { encodeHelloRetryRequest } from '../../../src/tls/codec/server-hello.ts'
import { EarlySchedule } from '../../../src/tls/schedule/key-schedule.ts'
import { Transcript } from '../../../src/tls/schedule/transcript.ts'

interface Trace extends Record<string, unknown> {
  readonly messages: Readonly<Record<'clientHello' | 'serverHello' | 'encryptedExtensions' | 'certificate' | 'certificateVerify', string>>
}

const trace = JSON.parse(readFileSync(new URL('../../../../../test-vectors/rfc8448/simple-1-rtt.json', import.meta.url), 'utf8')) as Trace
const text = (name: string): string => String(trace[name])

for (const provider of [nodeProvider, nobleProvider]) {
  describe(`RFC 8448 §3 with ${provider.name}`, () => {
    const suite = cipherSuite(0x1301)
    const { messages } = trace

    it('the first stages', () => {
      const early = hkdfExtract(provider, 'sha256', EMPTY, new Uint8Array(32))
      expect(toHex(early)).toBe(text('earlySecret'))
      const derived = hkdfExpandLabel(provider, 'sha256', early, 'derived', provider.hash('sha256', EMPTY), 32)
      expect(toHex(derived)).toBe(text('derivedSecret'))
      expect(toHex(hkdfExtract(provider, 'sha256', derived, fromHex(text('sharedSecret'))))).toBe(text('handshakeSecret'))
    })

    it('every secret and both Finished of the trace', () => {
      const transcript = new Transcript(provider)
      transcript.add(fromHex(messages.clientHello))
      transcript.start('sha256')
      transcript.add(fromHex(messages.serverHello))
      expect(toHex(transcript.digest())).toBe(text('helloHash'))
      const handshake = new EarlySchedule(provider, suite, null).handshake(fromHex(text('sharedSecret')), transcript.digest())
      expect(toHex(handshake.clientSecret)).toBe(text('clientHandshakeTrafficSecret'))
      expect(toHex(handshake.serverSecret)).toBe(text('serverHandshakeTrafficSecret'))
      for (const name of ['encryptedExtensions', 'certificate', 'certificateVerify'] as const) transcript.add(fromHex(messages[name]))
      const serverFinished = handshake.finished(handshake.serverSecret, transcript.digest())
      expect(toHex(serverFinished)).toBe(text('serverFinished'))
      transcript.add(encodeFinished(serverFinished))
      expect(toHex(transcript.digest())).toBe(text('serverFinishedHash'))
      const application = handshake.application(transcript.digest())
      expect(toHex(application.clientSecret)).toBe(text('clientApplicationTrafficSecret'))
      expect(toHex(application.serverSecret)).toBe(text('serverApplicationTrafficSecret'))
      expect(toHex(application.exporterSecret)).toBe(text('exporterSecret'))
      const clientFinished = handshake.finished(handshake.clientSecret, transcript.digest())
      expect(toHex(clientFinished)).toBe(text('clientFinished'))
      transcript.add(encodeFinished(clientFinished))
      expect(toHex(transcript.digest())).toBe(text('clientFinishedHash'))
      expect(toHex(application.resumption(transcript.digest()))).toBe(text('resumptionSecret'))
    })
  })
}

describe('Transcript', () => {
  it('restarts from message_hash after a HelloRetryRequest (RFC 9846 §4.1.1)', () => {
    const first = Uint8Array.of(1, 0, 0, 1, 9)
    const retry = encodeHelloRetryRequest(0x1302, 0x001d, null)
    const transcript = new Transcript(nodeProvider)
    transcript.add(first)
    transcript.start('sha384')
    transcript.substituteMessageHash()
    transcript.add(retry)
    const plain = Uint8Array.from([254, 0, 0, 48, ...nodeProvider.hash('sha384', first), ...retry])
    expect(transcript.digest()).toEqual(nodeProvider.hash('sha384', plain))
  })
})
