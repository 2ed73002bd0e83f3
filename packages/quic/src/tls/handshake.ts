// What all states of one handshake share: configuration with its defaults, transcript, outgoing events, key log, results.
// States own everything else and hand it on to the next state.

import { EMPTY, copyBytes, toHex } from '../base/bytes.ts'
import { Ring } from '../base/ring.ts'
import { isCipherSuite } from '../crypto/provider.ts'
import type { CipherSuiteId, CryptoProvider, NamedGroup, SignatureScheme } from '../crypto/provider.ts'
import { VERSION_1 } from '../wire/constants.ts'
import type { EncryptionLevel } from '../wire/constants.ts'
import { CertificateSet } from './certificates/certificate-set.ts'
import type { ServerContext, TlsConfig, VerifyPolicy } from './config.ts'
import { TlsUsageError } from './errors.ts'
import type { TlsEvent } from './events.ts'
import type { StoredSession } from './resumption/session-store.ts'
import type { ApplicationSchedule } from './schedule/key-schedule.ts'
import { Transcript } from './schedule/transcript.ts'

/** Holds a secret, and can overwrite it. */
export interface SecretHolder {
  destroy(): void
}

const DEFAULT_SUITES: readonly CipherSuiteId[] = [0x1301, 0x1302, 0x1303]

export class Handshake {
  readonly config: TlsConfig
  readonly provider: CryptoProvider
  readonly cipherSuites: readonly CipherSuiteId[]
  readonly groups: readonly NamedGroup[]
  readonly transcript: Transcript
  readonly events: Ring<TlsEvent>
  transportParameters: Uint8Array | null
  clientRandom: Uint8Array
  earlyDataContext: Uint8Array
  /** RFC 9369 §5: the QUIC version a session may be resumed under here, and the one that sessions of this handshake belong to. */
  readonly resumesVersion: number
  issuesVersion: number
  /** Unix milliseconds at the input that is being worked on. */
  now: number
  complete: boolean
  schedule: ApplicationSchedule | null
  // Filled as they are negotiated; read through TlsEngine.info().
  cipherSuite: CipherSuiteId | 0
  group: NamedGroup | 0
  signatureScheme: SignatureScheme | 0
  alpn: string | null
  serverName: string | null
  peerCertificates: readonly Uint8Array[]
  ocspResponse: Uint8Array | null
  signedCertificateTimestamps: Uint8Array | null
  helloRetry: boolean
  resumed: boolean
  earlyData: boolean
  /** Client: the encoded transport parameters of the server. */
  peerParameters: Uint8Array
  /** The peer's chain was verified, in this handshake or the one it resumes. */
  verified: boolean
  /** Client: the session offered together with early data. */
  earlySession: StoredSession | null
  /** Server: what the ClientHello is answered with; null before that is known. */
  context: ServerContext | null
  /** Server: the client takes tickets. */
  ticketsWanted: boolean
  /** Server: Unix milliseconds of the full handshake all this grew from. */
  authenticatedAt: number
  /** Whoever held a secret of this handshake, for the end. */
  private readonly holders: SecretHolder[]

  constructor(config: TlsConfig) {
    this.config = config
    this.provider = config.provider
    this.cipherSuites = config.cipherSuites ?? DEFAULT_SUITES
    this.groups = (config.groups ?? config.provider.groups).filter((group) => config.provider.groups.includes(group))
    checkConfig(config, this.cipherSuites, this.groups)
    this.transcript = new Transcript(config.provider)
    this.events = new Ring<TlsEvent>()
    this.transportParameters = config.transportParameters ?? null
    this.clientRandom = EMPTY
    this.earlyDataContext = config.earlyDataContext ?? EMPTY
    this.resumesVersion = config.sessionVersion ?? VERSION_1
    this.issuesVersion = this.resumesVersion
    this.now = config.timeOrigin ?? 0
    this.complete = false
    this.schedule = null
    this.cipherSuite = 0
    this.group = 0
    this.signatureScheme = 0
    this.alpn = null
    this.serverName = null
    this.peerCertificates = []
    this.ocspResponse = null
    this.signedCertificateTimestamps = null
    this.helloRetry = false
    this.resumed = false
    this.earlyData = false
    this.peerParameters = EMPTY
    this.verified = false
    this.earlySession = null
    this.context = null
    this.ticketsWanted = false
    this.authenticatedAt = 0
    this.holders = []
  }

  /** Sees to it that the secrets of `holder` do not outlive the handshake, however that ends. */
  hold<Holder extends SecretHolder>(holder: Holder): Holder {
    this.holders.push(holder)
    return holder
  }

  /** The same for plain bytes. */
  holdBytes(secret: Uint8Array): Uint8Array {
    this.hold({ destroy: () => void secret.fill(0) })
    return secret
  }

  /** Overwrites every secret that is left. */
  destroy(): void {
    for (const holder of this.holders) holder.destroy()
    this.holders.length = 0
    for (let event = this.events.shift(); event !== undefined; event = this.events.shift()) if (event.kind === 'keys') event.secret.fill(0)
  }

  /** `now` in milliseconds of the owner's clock. */
  setTime(now: number): void {
    this.now = (this.config.timeOrigin ?? 0) + now
  }

  random(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    this.config.random.fill(bytes)
    return bytes
  }

  /** Sends a message and enters it into the transcript. */
  send(level: EncryptionLevel, bytes: Uint8Array): void {
    this.transcript.add(bytes)
    this.events.push({ kind: 'crypto', level, bytes })
  }

  /** Hands a traffic secret out. The owner gets a copy of its own: ours is overwritten when it is used up. */
  keys(level: EncryptionLevel, direction: 'read' | 'write', suite: CipherSuiteId, secret: Uint8Array): void {
    this.events.push({ kind: 'keys', level, direction, suite, secret: copyBytes(secret) })
  }

  /** One line of the NSS key log. */
  keylog(label: string, secret: Uint8Array): void {
    this.config.keylog?.(`${label} ${toHex(this.clientRandom)} ${toHex(secret)}`)
  }

  /** Takes over the secrets of the application stage and logs them. */
  enterApplication(schedule: ApplicationSchedule): void {
    this.schedule = schedule
    this.keylog('CLIENT_TRAFFIC_SECRET_0', schedule.clientSecret)
    this.keylog('SERVER_TRAFFIC_SECRET_0', schedule.serverSecret)
    this.keylog('EXPORTER_SECRET', schedule.exporterSecret)
  }

  /** Tells whether the early data that was offered is taken. */
  decideEarlyData(accepted: boolean): void {
    this.earlyData = accepted
    this.events.push({ kind: 'early-data', accepted })
  }

  finish(): void {
    this.complete = true
    this.events.push({ kind: 'complete' })
  }
}

const MAX_CONTEXT = 4096

/** A ticket has to fit the CRYPTO buffers of strangers. */
export function checkContext(context: Uint8Array | undefined): void {
  if (context !== undefined && context.length > MAX_CONTEXT) throw new TlsUsageError(`earlyDataContext takes at most ${MAX_CONTEXT} bytes`)
}

function checkConfig(config: TlsConfig, cipherSuites: readonly number[], groups: readonly NamedGroup[]): void {
  if (config.alpn.length === 0) throw new TlsUsageError('alpn needs at least one application protocol')
  for (const protocol of config.alpn) {
    if (protocol.length === 0 || protocol.length > 255) throw new TlsUsageError(`alpn protocol '${protocol}' must be 1 to 255 bytes long`)
  }
  if (cipherSuites.length === 0 || !cipherSuites.every(isCipherSuite)) {
    throw new TlsUsageError('cipherSuites may hold 0x1301, 0x1302 and 0x1303')
  }
  if (groups.length === 0) throw new TlsUsageError(`provider ${config.provider.name} knows none of the groups`)
  if (config.keyShares !== undefined && (config.keyShares.length === 0 || !config.keyShares.every((group) => groups.includes(group)))) {
    throw new TlsUsageError('keyShares may hold groups that are offered, at least one')
  }
  checkContext(config.earlyDataContext)
  if (config.role === 'client') {
    if (config.verify === undefined) throw new TlsUsageError('a client needs verify: how to judge the certificate of the server')
    if (config.verify.mode === 'chain' && config.serverName === undefined) {
      throw new TlsUsageError("a client that verifies certificates needs serverName; verify: { mode: 'insecure' } does without")
    }
    if (config.transportParameters === undefined) throw new TlsUsageError('a client needs transportParameters')
    checkPolicy(config.verify, config)
    for (const { chain } of config.clientCertificates ?? []) {
      if (chain.length === 0) throw new TlsUsageError('a client certificate has an empty chain')
    }
  } else checkServer(config)
}

function checkServer(config: TlsConfig): void {
  const { certificates, clientAuthentication, cookieKeys } = config
  if (config.asksContext !== true && config.selectCertificate === undefined) {
    if (certificates === undefined || (!(certificates instanceof CertificateSet) && certificates.length === 0)) {
      throw new TlsUsageError('a server needs certificates, selectCertificate or asksContext')
    }
  }
  for (const { chain } of certificates instanceof CertificateSet ? [] : (certificates ?? [])) {
    if (chain.length === 0) throw new TlsUsageError('a server certificate has an empty chain')
  }
  if (clientAuthentication !== undefined) checkPolicy(clientAuthentication.verify, config)
  if (cookieKeys !== undefined && (cookieKeys.length === 0 || cookieKeys.some((key) => key.length !== 32))) {
    throw new TlsUsageError('cookieKeys are 32 bytes each, at least one')
  }
}

function checkPolicy(policy: VerifyPolicy, { timeOrigin }: TlsConfig): void {
  if (policy.mode === 'insecure') return
  if (policy.unixTimeMs === undefined && timeOrigin === undefined) {
    throw new TlsUsageError('certificates are judged at a time: give verify.unixTimeMs, or timeOrigin')
  }
  if (policy.mode === 'pinned' && (policy.hashes.length === 0 || policy.hashes.some((hash) => hash.length !== 32))) {
    throw new TlsUsageError('verify.hashes are SHA-256 hashes of 32 bytes, at least one')
  }
}
