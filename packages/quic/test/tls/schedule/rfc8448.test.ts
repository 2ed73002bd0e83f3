// RFC 8448 §4 (resumed, 0-RTT), §5 (HelloRetryRequest) and §6 (client authentication) against schedule, transcript and codecs, over both providers.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/base/bytes.ts'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { nobleProvider } from '../../../src/crypto/noble/index.ts'
import { cipherSuite, type CryptoProvider, type SignatureScheme } from '../../../src/crypto/provider.ts'
import { parseCertificate } from '../../../src/tls/certificates/parse.ts'
import { decodeCertificate } from '../../../src/tls/codec/certificate.ts'
import { decodeCertificateRequest } from '../../../src/tls/codec/certificate-request.ts'
import { decodeCertificateVerify, signedContent } from '../../../src/tls/codec/certificate-verify.ts'
import { decodeServerHello } from '../../../src/tls/codec/server-hello.ts'
import { encodeFinished } from '../../../src/tls/codec/finished.ts'
import { readOfferedPsks } from '../../../src/tls/extensions/pre-shared-key.ts'
import { EarlySchedule } from '../../../src/tls/schedule/key-schedule.ts'
import type { HandshakeSchedule } from '../../../src/tls/schedule/key-schedule.ts'
import { Transcript } from '../../../src/tls/schedule/transcript.ts'

class Trace {
  readonly #values: Record<string, unknown>

  constructor(name: string) {
    const path = new URL(`../../../../../test-vectors/rfc8448/${name}.json`, import.meta.url)
    this.#values = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  }

  text(name: string): string {
    const value = this.#values[name]
    if (typeof value !== 'string') throw new Error(`no value ${name}`)
    return value
  }

  bytes(name: string): Uint8Array {
    return fromHex(this.text(name))
  }

  message(name: string): Uint8Array {
    return fromHex((this.#values['messages'] as Record<string, string>)[name]!)
  }
}

const resumed = new Trace('resumed-0-rtt')
const retry = new Trace('hello-retry-request')
const mutual = new Trace('client-authentication')
const suite = cipherSuite(0x1301)

for (const provider of [nodeProvider, nobleProvider]) {
  describe(`RFC 8448 §4 with ${provider.name}`, () => {
    it('the key of the ticket', () => {
      const any = new EarlySchedule(provider, suite, null).handshake(new Uint8Array(32), new Uint8Array(32)).application(new Uint8Array(32))
      expect(toHex(any.ticketKey(resumed.bytes('resumptionSecret'), resumed.bytes('ticketNonce')))).toBe(resumed.text('preSharedKey'))
    })

    it('the binder, over the ClientHello without its list of binders', () => {
      const hello = resumed.message('clientHello')
      // pre_shared_key is the last extension; its 221 bytes end the message.
      const psks = readOfferedPsks(hello.subarray(-221))
      expect(psks.identities).toHaveLength(1)
      expect(psks.binders.map(toHex)).toEqual([resumed.text('binder')])
      const transcript = new Transcript(provider)
      transcript.add(hello.subarray(0, hello.length - psks.bindersLength))
      expect(toHex(transcript.digestWith('sha256'))).toBe(resumed.text('binderHash'))
      const early = new EarlySchedule(provider, suite, resumed.bytes('preSharedKey'))
      expect(toHex(early.binder(transcript.digestWith('sha256')))).toBe(resumed.text('binder'))
      transcript.add(hello.subarray(hello.length - psks.bindersLength))
      expect(toHex(early.clientTraffic(transcript.digestWith('sha256')))).toBe(resumed.text('clientEarlyTrafficSecret'))
    })

    it('every secret and both Finished', () => {
      const transcript = new Transcript(provider)
      transcript.add(resumed.message('clientHello'))
      transcript.start('sha256')
      transcript.add(resumed.message('serverHello'))
      const early = new EarlySchedule(provider, suite, resumed.bytes('preSharedKey'))
      const handshake = early.handshake(resumed.bytes('sharedSecret'), transcript.digest())
      transcript.add(resumed.message('encryptedExtensions'))
      checkRest(resumed, handshake, transcript)
      transcript.add(resumed.message('endOfEarlyData'))
      expect(toHex(handshake.finished(handshake.clientSecret, transcript.digest()))).toBe(resumed.text('clientFinished'))
    })
  })

  describe(`RFC 8448 §5 with ${provider.name}`, () => {
    it('every secret, and the Finished of the server, after the message_hash', () => {
      const transcript = new Transcript(provider)
      transcript.add(retry.message('clientHello1'))
      transcript.start('sha256')
      transcript.substituteMessageHash()
      for (const name of ['helloRetryRequest', 'clientHello2', 'serverHello']) transcript.add(retry.message(name))
      expect(toHex(transcript.digest())).toBe(retry.text('helloHash'))
      const handshake = new EarlySchedule(provider, suite, null).handshake(retry.bytes('sharedSecret'), transcript.digest())
      for (const name of ['encryptedExtensions', 'certificate', 'certificateVerify']) transcript.add(retry.message(name))
      checkRest(retry, handshake, transcript)
      expect(toHex(transcript.digest())).toBe(retry.text('serverFinishedHash'))
    })
  })
}

for (const provider of [nodeProvider, nobleProvider]) {
  describe(`RFC 8448 §6 with ${provider.name}`, () => {
    it('every secret, the signatures of both sides, and both Finished', () => {
      const transcript = new Transcript(provider)
      const add = (...names: string[]): void => names.forEach((name) => transcript.add(mutual.message(name)))
      add('clientHello')
      transcript.start('sha256')
      add('serverHello')
      const handshake = new EarlySchedule(provider, suite, null).handshake(mutual.bytes('sharedSecret'), transcript.digest())
      expect(toHex(handshake.clientSecret)).toBe(mutual.text('clientHandshakeTrafficSecret'))
      expect(toHex(handshake.serverSecret)).toBe(mutual.text('serverHandshakeTrafficSecret'))
      add('encryptedExtensions', 'certificateRequest', 'certificate')
      expect(provides(provider, 'server', 'certificate', 'certificateVerify', transcript)).toBe(true)
      add('certificateVerify')
      expect(encodeFinished(handshake.finished(handshake.serverSecret, transcript.digest()))).toEqual(mutual.message('serverFinished'))
      add('serverFinished')
      const application = handshake.application(transcript.digest())
      expect(toHex(application.clientSecret)).toBe(mutual.text('clientApplicationTrafficSecret'))
      expect(toHex(application.serverSecret)).toBe(mutual.text('serverApplicationTrafficSecret'))
      add('clientCertificate')
      // RSA is not for the portable provider to check by itself.
      expect(provides(provider, 'client', 'clientCertificate', 'clientCertificateVerify', transcript)).toBe(provider === nodeProvider ? true : null)
      add('clientCertificateVerify')
      expect(encodeFinished(handshake.finished(handshake.clientSecret, transcript.digest()))).toEqual(mutual.message('clientFinished'))
    })
  })
}

/** Whether a CertificateVerify of §6 is good for the certificate before it, at the end of this transcript. */
function provides(
  provider: CryptoProvider,
  signer: 'client' | 'server',
  certificate: string,
  proof: string,
  transcript: Transcript,
): boolean | null {
  const { chain } = decodeCertificate(mutual.message(certificate).subarray(4), [])
  const { scheme, signature } = decodeCertificateVerify(mutual.message(proof).subarray(4))
  const { spki } = parseCertificate(chain[0]!, 'a certificate of the trace')
  return provider.verify(scheme as SignatureScheme, spki, signedContent(signer, transcript.digest()), signature)
}

/** From before the server's Finished to after it. */
function checkRest(trace: Trace, handshake: HandshakeSchedule, transcript: Transcript): void {
  expect(toHex(handshake.clientSecret)).toBe(trace.text('clientHandshakeTrafficSecret'))
  expect(toHex(handshake.serverSecret)).toBe(trace.text('serverHandshakeTrafficSecret'))
  const finished = handshake.finished(handshake.serverSecret, transcript.digest())
  expect(toHex(finished)).toBe(trace.text('serverFinished'))
  transcript.add(encodeFinished(finished))
  const application = handshake.application(transcript.digest())
  expect(toHex(application.clientSecret)).toBe(trace.text('clientApplicationTrafficSecret'))
  expect(toHex(application.serverSecret)).toBe(trace.text('serverApplicationTrafficSecret'))
  expect(toHex(application.exporterSecret)).toBe(trace.text('exporterSecret'))
}

describe('the messages of RFC 8448', () => {
  const ASKED = [41, 43, 44, 51]

  it('§4: ServerHello takes the first pre-shared key', () => {
    const hello = decodeServerHello(resumed.message('serverHello').subarray(4), ASKED)
    expect(hello).toMatchObject({ retry: false, cipherSuite: 0x1301, selectedIdentity: 0, share: { group: 0x001d } })
  })

  it('§6: CertificateRequest wants any certificate that fits fifteen schemes', () => {
    const request = decodeCertificateRequest(mutual.message('certificateRequest').subarray(4))
    expect(request).toMatchObject({ authorities: [], certificateSchemes: [], compression: [] })
    expect(request.signatureSchemes).toHaveLength(15)
  })

  it('§5: HelloRetryRequest asks for P-256 with a cookie, and the second hello returns it', () => {
    const request = decodeServerHello(retry.message('helloRetryRequest').subarray(4), ASKED)
    if (!request.retry || request.cookie === null) throw new Error('no HelloRetryRequest with a cookie')
    expect(request).toMatchObject({ cipherSuite: 0x1301, selectedGroup: 0x0017 })
    expect(toHex(retry.message('clientHello2'))).toContain(`002c0074${'0072'}${toHex(request.cookie)}`)
    const hello = decodeServerHello(retry.message('serverHello').subarray(4), ASKED)
    expect(hello).toMatchObject({ retry: false, share: { group: 0x0017, key: retry.bytes('serverPublicKey') }, selectedIdentity: null })
  })
})
