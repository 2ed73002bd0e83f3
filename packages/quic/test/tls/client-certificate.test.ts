// A server that asks for a client certificate gets an empty one. RFC 9846 §4.5.1, §4.5.3. A scripted
// server asks, from the parts the engine is made of.

import { expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { cipherSuite } from '../../src/crypto/provider.ts'
import { TlsEngine } from '../../src/tls/engine.ts'
import { encodeCertificate } from '../../src/tls/codec/certificate.ts'
import { encodeCertificateVerify, signedContent } from '../../src/tls/codec/certificate-verify.ts'
import { decodeClientHello } from '../../src/tls/codec/client-hello.ts'
import { encodeEncryptedExtensions } from '../../src/tls/codec/encrypted-extensions.ts'
import { encodeFinished } from '../../src/tls/codec/finished.ts'
import { encodeServerHello } from '../../src/tls/codec/server-hello.ts'
import { EarlySchedule } from '../../src/tls/schedule/key-schedule.ts'
import { Transcript } from '../../src/tls/schedule/transcript.ts'
import { EncryptionLevel } from '../../src/wire/constants.ts'
import { clientConfig, LEAF, reframe, SERVER_PARAMETERS } from './handshake.ts'

function cryptoOf(engine: TlsEngine, level: EncryptionLevel): Uint8Array[] {
  const bytes: Uint8Array[] = []
  for (let event = engine.poll(); event !== null; event = engine.poll()) {
    if (event.kind === 'crypto' && event.level === level) bytes.push(event.bytes)
  }
  return bytes
}

it('answers a CertificateRequest with an empty Certificate before its Finished', () => {
  const client = new TlsEngine(clientConfig({ groups: [0x001d] }))
  client.start()
  const hello = cryptoOf(client, EncryptionLevel.initial)[0]!
  const transcript = new Transcript(nodeProvider)
  transcript.start('sha256')
  const say = (bytes: Uint8Array): Uint8Array => {
    transcript.add(bytes)
    return bytes
  }
  say(hello)
  const exchange = nodeProvider.keyExchange(0x001d)
  const answer = { group: 0x001d, key: exchange.publicKey }
  const shared = exchange.sharedSecret(decodeClientHello(hello.subarray(4)).shares[0]!.key)!
  client.receive(EncryptionLevel.initial, say(encodeServerHello(new Uint8Array(32).fill(7), 0x1301, answer, null)))
  const schedule = new EarlySchedule(nodeProvider, cipherSuite(0x1301), null).handshake(shared, transcript.digest())
  client.receive(EncryptionLevel.handshake, say(encodeEncryptedExtensions('h3', SERVER_PARAMETERS, false, false)))
  client.receive(EncryptionLevel.handshake, say(reframe(13, Uint8Array.of(0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3))))
  client.receive(EncryptionLevel.handshake, say(encodeCertificate({ chain: [LEAF.der], ocspResponse: null, signedCertificateTimestamps: null })))
  const signature = LEAF.key.sign(0x0403, signedContent('server', transcript.digest()))!
  client.receive(EncryptionLevel.handshake, say(encodeCertificateVerify(0x0403, signature)))
  client.receive(EncryptionLevel.handshake, say(encodeFinished(schedule.finished(schedule.serverSecret, transcript.digest()))))
  expect(client.complete).toBe(true)

  const empty = say(Uint8Array.of(11, 0, 0, 4, 0, 0, 0, 0))
  const finished = encodeFinished(schedule.finished(schedule.clientSecret, transcript.digest()))
  expect(concatBytes(...cryptoOf(client, EncryptionLevel.handshake))).toEqual(concatBytes(empty, finished))
})
