// The key schedule of RFC 9846 §7.1 as three stages, each made from the one before: no secret can be asked for too early.
//   EarlySchedule -> (shared secret) -> HandshakeSchedule -> (server Finished) -> ApplicationSchedule

import type { CipherSuiteInfo, CryptoProvider } from '../../crypto/provider.ts'
import { EMPTY } from '../../base/bytes.ts'
import { hkdfExpandLabel, hkdfExtract } from '../../crypto/hkdf.ts'

function deriveSecret(provider: CryptoProvider, suite: CipherSuiteInfo, secret: Uint8Array, label: string, hash: Uint8Array): Uint8Array {
  return hkdfExpandLabel(provider, suite.hash, secret, label, hash, suite.hashLength)
}

function nextStage(provider: CryptoProvider, suite: CipherSuiteInfo, secret: Uint8Array, input: Uint8Array): Uint8Array {
  const salt = deriveSecret(provider, suite, secret, 'derived', provider.hash(suite.hash, EMPTY))
  return hkdfExtract(provider, suite.hash, salt, input)
}

/** RFC 9846 §4.5.3: what Finished and a binder are made of. */
function verifyData(provider: CryptoProvider, suite: CipherSuiteInfo, baseKey: Uint8Array, transcriptHash: Uint8Array): Uint8Array {
  const key = hkdfExpandLabel(provider, suite.hash, baseKey, 'finished', EMPTY, suite.hashLength)
  return provider.hmac(suite.hash, key, transcriptHash)
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
    return verifyData(this.#provider, this.#suite, key, truncatedHash)
  }

  /** The secret of 0-RTT packets. `helloHash`: the one ClientHello. */
  clientTraffic(helloHash: Uint8Array): Uint8Array {
    return deriveSecret(this.#provider, this.#suite, this.#secret, 'c e traffic', helloHash)
  }

  /** `helloHash`: the transcript up to ServerHello. */
  handshake(sharedSecret: Uint8Array, helloHash: Uint8Array): HandshakeSchedule {
    return new HandshakeSchedule(this.#provider, this.#suite, nextStage(this.#provider, this.#suite, this.#secret, sharedSecret), helloHash)
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

  /** `finishedHash`: the transcript up to the server's Finished. */
  application(finishedHash: Uint8Array): ApplicationSchedule {
    const secret = nextStage(this.#provider, this.#suite, this.#secret, new Uint8Array(this.#suite.hashLength))
    return new ApplicationSchedule(this.#provider, this.#suite, secret, finishedHash)
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

  /** RFC 9846 §7.5. */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    const secret = deriveSecret(this.#provider, this.#suite, this.exporterSecret, label, this.#provider.hash(this.#suite.hash, EMPTY))
    return hkdfExpandLabel(this.#provider, this.#suite.hash, secret, 'exporter', this.#provider.hash(this.#suite.hash, context), length)
  }
}
