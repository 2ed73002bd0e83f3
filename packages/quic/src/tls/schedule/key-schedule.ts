// The key schedule of RFC 9846 §7.1 as three stages, each made from the one before: no secret can be asked for too early, and none
// outlives its use.
//   EarlySchedule -> (shared secret) -> HandshakeSchedule -> (server Finished) -> ApplicationSchedule

import type { CipherSuiteInfo, CryptoProvider } from '../../crypto/provider.ts'
import { EMPTY } from '../../base/bytes.ts'
import { hkdfExpandLabel, hkdfExtract } from '../../crypto/hkdf.ts'

function deriveSecret(provider: CryptoProvider, suite: CipherSuiteInfo, secret: Uint8Array, label: string, hash: Uint8Array): Uint8Array {
  return hkdfExpandLabel(provider, suite.hash, secret, label, hash, suite.hashLength)
}

function nextStage(provider: CryptoProvider, suite: CipherSuiteInfo, secret: Uint8Array, input: Uint8Array): Uint8Array {
  const salt = deriveSecret(provider, suite, secret, 'derived', provider.hash(suite.hash, EMPTY))
  const next = hkdfExtract(provider, suite.hash, salt, input)
  salt.fill(0)
  return next
}

/** RFC 9846 §4.5.3: what Finished and a binder are made of. */
function verifyData(provider: CryptoProvider, suite: CipherSuiteInfo, baseKey: Uint8Array, transcriptHash: Uint8Array): Uint8Array {
  const key = hkdfExpandLabel(provider, suite.hash, baseKey, 'finished', EMPTY, suite.hashLength)
  const data = provider.hmac(suite.hash, key, transcriptHash)
  key.fill(0)
  return data
}

export class EarlySchedule {
  readonly #provider: CryptoProvider
  readonly #suite: CipherSuiteInfo
  readonly #secret: Uint8Array

  /** Without a pre-shared key zeros stand in for it. */
  constructor(provider: CryptoProvider, suite: CipherSuiteInfo, psk: Uint8Array | null) {
    this.#provider = provider
    this.#suite = suite
    this.#secret = hkdfExtract(provider, suite.hash, EMPTY, psk ?? new Uint8Array(suite.hashLength))
  }

  /** The binder of a resumption pre-shared key. `truncatedHash`: the transcript up to the list of binders. RFC 9846 §4.3.11.2. */
  binder(truncatedHash: Uint8Array): Uint8Array {
    const key = deriveSecret(this.#provider, this.#suite, this.#secret, 'res binder', this.#provider.hash(this.#suite.hash, EMPTY))
    const binder = verifyData(this.#provider, this.#suite, key, truncatedHash)
    key.fill(0)
    return binder
  }

  /** The secret of 0-RTT packets. `helloHash`: the one ClientHello. */
  clientTraffic(helloHash: Uint8Array): Uint8Array {
    return deriveSecret(this.#provider, this.#suite, this.#secret, 'c e traffic', helloHash)
  }

  /** Overwrites the secret: no handshake grows from this one. */
  destroy(): void {
    this.#secret.fill(0)
  }

  /** `helloHash`: the transcript up to ServerHello. Once: this stage is over then, and its secret overwritten. */
  handshake(sharedSecret: Uint8Array, helloHash: Uint8Array): HandshakeSchedule {
    const secret = nextStage(this.#provider, this.#suite, this.#secret, sharedSecret)
    this.#secret.fill(0)
    return new HandshakeSchedule(this.#provider, this.#suite, secret, helloHash)
  }
}

export class HandshakeSchedule {
  readonly clientSecret: Uint8Array
  readonly serverSecret: Uint8Array
  readonly #provider: CryptoProvider
  readonly #suite: CipherSuiteInfo
  readonly #secret: Uint8Array

  constructor(provider: CryptoProvider, suite: CipherSuiteInfo, secret: Uint8Array, helloHash: Uint8Array) {
    this.#provider = provider
    this.#suite = suite
    this.#secret = secret
    this.clientSecret = deriveSecret(provider, suite, secret, 'c hs traffic', helloHash)
    this.serverSecret = deriveSecret(provider, suite, secret, 's hs traffic', helloHash)
  }

  /** verify_data of a Finished. RFC 9846 §4.5.3. */
  finished(trafficSecret: Uint8Array, transcriptHash: Uint8Array): Uint8Array {
    return verifyData(this.#provider, this.#suite, trafficSecret, transcriptHash)
  }

  /** `finishedHash`: the transcript up to the server's Finished. Once: the traffic secrets alone are left, until destroy(). */
  application(finishedHash: Uint8Array): ApplicationSchedule {
    const secret = nextStage(this.#provider, this.#suite, this.#secret, new Uint8Array(this.#suite.hashLength))
    this.#secret.fill(0)
    return new ApplicationSchedule(this.#provider, this.#suite, secret, finishedHash)
  }

  /** Overwrites what is left: both Finished are behind us, or will never come. */
  destroy(): void {
    this.#secret.fill(0)
    this.clientSecret.fill(0)
    this.serverSecret.fill(0)
  }
}

export class ApplicationSchedule {
  readonly clientSecret: Uint8Array
  readonly serverSecret: Uint8Array
  readonly exporterSecret: Uint8Array
  readonly #provider: CryptoProvider
  readonly #suite: CipherSuiteInfo
  readonly #secret: Uint8Array

  constructor(provider: CryptoProvider, suite: CipherSuiteInfo, secret: Uint8Array, finishedHash: Uint8Array) {
    this.#provider = provider
    this.#suite = suite
    this.#secret = secret
    this.clientSecret = deriveSecret(provider, suite, secret, 'c ap traffic', finishedHash)
    this.serverSecret = deriveSecret(provider, suite, secret, 's ap traffic', finishedHash)
    this.exporterSecret = deriveSecret(provider, suite, secret, 'exp master', finishedHash)
  }

  /** `completeHash`: the transcript up to the client's Finished. Session tickets grow from it. */
  resumption(completeHash: Uint8Array): Uint8Array {
    return deriveSecret(this.#provider, this.#suite, this.#secret, 'res master', completeHash)
  }

  /** The pre-shared key of the ticket with this nonce. RFC 9846 §4.7.1. */
  ticketKey(resumptionSecret: Uint8Array, nonce: Uint8Array): Uint8Array {
    return hkdfExpandLabel(this.#provider, this.#suite.hash, resumptionSecret, 'resumption', nonce, this.#suite.hashLength)
  }

  /** Overwrites everything but what exports keying material: the keys are handed out, and the resumption secret is derived. */
  retainExporter(): void {
    this.clientSecret.fill(0)
    this.serverSecret.fill(0)
    this.#secret.fill(0)
  }

  destroy(): void {
    this.retainExporter()
    this.exporterSecret.fill(0)
  }

  /** RFC 9846 §7.5. */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    const secret = deriveSecret(this.#provider, this.#suite, this.exporterSecret, label, this.#provider.hash(this.#suite.hash, EMPTY))
    const material = hkdfExpandLabel(this.#provider, this.#suite.hash, secret, 'exporter', this.#provider.hash(this.#suite.hash, context), length)
    secret.fill(0)
    return material
  }
}
