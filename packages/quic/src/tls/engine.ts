// The TLS 1.3 engine of a QUIC connection: RFC 9846 as RFC 9001 uses it. It serves QUIC only:
// no records, no change_cipher_spec, no middlebox compatibility, no EndOfEarlyData, no KeyUpdate; ALPN and
// quic_transport_parameters are mandatory; pre-shared keys come from tickets and go with a key exchange (psk_dhe_ke).
// Synchronous: what cannot be done at once is a 'need' event. `now`: milliseconds of the owner's clock, see TlsConfig.timeOrigin.
//   input: start(), receive(), provide()   output: poll() until null   faults of the peer: a thrown TransportError, then silence

import { utf8 } from '../base/bytes.ts'
import { EncryptionLevel } from '../wire/constants.ts'
import { Alert, alert, protocolViolation } from './alerts.ts'
import { startClient } from './client/start.ts'
import { handshakeName } from './codec/message.ts'
import type { HandshakeInfo, TlsConfig } from './config.ts'
import { TlsUsageError } from './errors.ts'
import type { TlsAnswer, TlsEvent } from './events.ts'
import { MessageReader } from './message-reader.ts'
import { startServer } from './server/client-hello.ts'
import { Handshake, checkContext } from './handshake.ts'
import type { StoredSession } from './resumption/session-store.ts'
import type { HandshakeState } from './state.ts'

export type { ClientAuthentication, ClientCertificate, HandshakeInfo, ServerCertificate, ServerContext, TlsConfig, VerifyPolicy } from './config.ts'

export class TlsEngine {
  readonly #handshake: Handshake
  readonly #reader: MessageReader
  /** Null before start() on a client, and for ever after a fault. */
  #state: HandshakeState | null
  #failed: boolean
  #destroyed: boolean

  /** Throws TlsUsageError when the configuration cannot work. */
  constructor(config: TlsConfig) {
    this.#handshake = new Handshake(config)
    this.#reader = new MessageReader()
    this.#state = config.role === 'server' ? startServer(this.#handshake) : null
    this.#failed = false
    this.#destroyed = false
  }

  /** A client writes its ClientHello. Nothing happens on a server. */
  start(now: number = 0): void {
    if (this.#handshake.config.role !== 'client' || this.#state !== null || this.#failed) return
    this.#handshake.setTime(now)
    this.#state = startClient(this.#handshake)
  }

  /**
   * Client, after start(): the session whose parameters and application protocol hold for 0-RTT packets; null when no early
   * data is offered. The key for them is a 'keys' event of level earlyData.
   */
  earlySession(): StoredSession | null {
    return this.#handshake.earlySession
  }

  /**
   * Bytes the owner wants back with early data: on a server sealed into tickets and shown to acceptEarlyData, on a client
   * stored with tickets that arrive from now on. At most 4096.
   */
  setEarlyDataContext(bytes: Uint8Array): void {
    checkContext(bytes)
    this.#handshake.earlyDataContext = bytes
  }

  /** RFC 9369 §5: the negotiated QUIC version, which sessions of this handshake belong to. Before it is complete. */
  setSessionVersion(version: number): void {
    this.#handshake.issuesVersion = version
  }

  /** The parameters to send to the client; before its first bytes. Servers only. */
  setTransportParameters(bytes: Uint8Array): void {
    if (this.#handshake.config.role !== 'server') throw new TlsUsageError('a client gives its transport parameters in the configuration')
    this.#handshake.transportParameters = bytes
  }

  /**
   * Handshake bytes of one level, in order, cut anywhere. The bytes are copied. Throws TransportError for every fault of the
   * peer; after that the engine takes nothing more.
   */
  receive(level: EncryptionLevel, bytes: Uint8Array, now: number = 0): void {
    const state = this.#state
    if (this.#failed || bytes.length === 0) return
    if (state === null) throw new TlsUsageError('start() comes before receive()')
    // RFC 9001 §8.3, §4.1.3.
    if (level === EncryptionLevel.earlyData) this.#fail('CRYPTO data in a 0-RTT packet')
    if (level < state.level) this.#fail('CRYPTO data of an earlier encryption level')
    this.#handshake.setTime(now)
    this.#failed = true
    this.#reader.push(level, bytes)
    this.#advance(state)
    this.#failed = false
  }

  /** Answers the last 'need' event. Throws TransportError when the answer ends the handshake, TlsUsageError when nothing was asked. */
  provide(answer: TlsAnswer, now: number = 0): void {
    if (this.#failed) return
    const state = this.#state
    if (state === null || !state.waiting) throw new TlsUsageError('provide() without a pending need')
    this.#handshake.setTime(now)
    this.#failed = true
    const next = state.onAnswer(answer)
    if (next === null) {
      this.#failed = false
      throw new TlsUsageError(`provide() with the wrong answer while ${state.name}`)
    }
    this.#enter(state, next)
    this.#advance(next)
    this.#failed = false
  }

  /** The next event; null: nothing more until the next input. */
  poll(): TlsEvent | null {
    return this.#handshake.events.shift() ?? null
  }

  /** No message of this level can come any more: a later one is being read. */
  hasLeft(level: EncryptionLevel): boolean {
    return this.#state !== null && level < this.#state.level
  }

  /** Our Finished is sent and the peer's verified (RFC 9001 §4.1.1). */
  get complete(): boolean {
    return this.#handshake.complete
  }

  /** The application protocol; null before it is chosen, which a client hears with the server's 'peer-parameters'. */
  get alpn(): string | null {
    return this.#handshake.alpn
  }

  /** What was negotiated, or null before the handshake is complete. */
  info(): HandshakeInfo | null {
    const { complete, cipherSuite, group, alpn, serverName, peerCertificates, helloRetry, resumed, earlyData } = this.#handshake
    if (!complete || cipherSuite === 0 || group === 0 || alpn === null) return null
    const { verified: peerVerified, ocspResponse, signedCertificateTimestamps } = this.#handshake
    const signatureScheme = this.#handshake.signatureScheme === 0 ? null : this.#handshake.signatureScheme
    return {
      cipherSuite,
      group,
      alpn,
      serverName,
      peerCertificates,
      peerVerified,
      ocspResponse,
      signedCertificateTimestamps,
      signatureScheme,
      helloRetry,
      resumed,
      earlyData,
    }
  }

  /** The connection is over: every secret is overwritten, and nothing more is taken, told or exported. */
  destroy(): void {
    this.#failed = true
    this.#destroyed = true
    this.#handshake.destroy()
  }

  /** RFC 9846 §7.5. `length` in bytes, at most 255 hashes. Throws TlsUsageError before the handshake is complete, and after destroy(). */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    const { schedule, complete } = this.#handshake
    if (this.#destroyed) throw new TlsUsageError('keying material cannot be exported any more: the connection is over')
    if (!complete || schedule === null) throw new TlsUsageError('keying material can be exported when the handshake is complete')
    if (!Number.isInteger(length) || length < 1 || length > 255 * 32) throw new TlsUsageError(`cannot export ${length} bytes`)
    // HkdfLabel has a byte for the length of "tls13 " and the label (RFC 9846 §7.1).
    if (utf8(label).length > 255 - 6) throw new TlsUsageError('an exporter label takes at most 249 bytes')
    return schedule.exportKeyingMaterial(label, context, length)
  }

  // Whatever throws below leaves #failed set: a handshake never goes on after a fault.
  #advance(from: HandshakeState): void {
    let state = from
    while (!state.waiting) {
      const message = this.#reader.next(state.level)
      if (message === null) return
      const next = state.onMessage(message)
      if (next === null) throw alert(Alert.unexpectedMessage, `${handshakeName(message.type)} while ${state.name}`)
      this.#enter(state, next)
      state = next
    }
  }

  #enter(state: HandshakeState, next: HandshakeState): void {
    this.#state = next
    // RFC 9001 §4.1.3: bytes of a level that ends here can never be read.
    if (next.level > state.level && this.#reader.pending(state.level) > 0) {
      throw protocolViolation('handshake bytes are left over at a change of keys')
    }
  }

  #fail(reason: string): never {
    this.#failed = true
    throw protocolViolation(reason)
  }
}
