// TLS options as users give them, turned into the engine's settings: PEM into DER, keys imported, roots chosen.

import { KeyObject } from 'node:crypto'
import {
  CertificateSet,
  ServerTickets,
  TrustAnchors,
  type ClientAuthentication,
  type ClientCertificate,
  type ClientHelloInfo,
  type CryptoProvider,
  type PrivateKey,
  type ReplayRegister,
  type ServerCertificate,
  type ServerContext,
  type TlsSettings,
  type VerifyPolicy,
} from '@quicwire/quic'
import { OptionError } from '../errors.ts'
import { cipherSuitesFrom, groupsFrom, type CipherSuiteOption, type GroupOption } from './algorithm-names.ts'
import { certificatesFrom, looksLikePem, type CertificateInput } from './certificate-input.ts'
import type { NeedHandlers, PeerCertificates } from './need-answers.ts'
import { machineCertificates, machineRoots, type RootsOption } from './trust-store.ts'

export interface CertificateOption {
  /** The chain, leaf first. */
  readonly cert: CertificateInput
  /** The leaf's key: PEM, PKCS#8 DER, a KeyObject, or an object that signs, such as one of externalKey(). */
  readonly key: string | Uint8Array | KeyObject | PrivateKey
  /** Servers: an OCSPResponse in DER for clients that ask. */
  readonly ocspResponse?: Uint8Array | undefined
  /** Servers: an encoded SignedCertificateTimestampList (RFC 6962 §3.3) for clients that ask. */
  readonly signedCertificateTimestamps?: Uint8Array | undefined
}

/**
 * The last word on a peer that passed every other check and holds the key of its certificate: null takes it, a text says why not. A
 * rejection refuses too. Not asked on resumed connections.
 */
export type PeerVerifier = (peer: PeerCertificates) => string | null | Promise<string | null>

export interface CommonTlsOptions {
  /** Application protocols in order of preference. Default `['h3']`. */
  readonly alpn?: readonly string[] | undefined
  /** Those to use, in order of preference, such as `['TLS_AES_256_GCM_SHA384']`. Default: AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305. */
  readonly cipherSuites?: readonly CipherSuiteOption[] | undefined
  /** Groups for key exchange, in order of preference, such as `['X25519', 'P-256']`. Default: all the crypto provider has. */
  readonly groups?: readonly GroupOption[] | undefined
  /** Certificate compression (RFC 8879). Default true. */
  readonly certificateCompression?: boolean | undefined
  readonly verifyPeer?: PeerVerifier | undefined
}

/** A server's wish for certificates of its clients. Such connections are never resumed. */
export interface ClientAuthenticationOption {
  /** Refuse clients without one. Default false. */
  readonly required?: boolean | undefined
  /** Roots they have to chain to. Default: those of `roots`. */
  readonly ca?: CertificateInput | undefined
  /** This machine's roots: those of Node, or of the operating system. Default `node`. */
  readonly roots?: RootsOption | undefined
  /** Take any certificate; the client still proves that it holds the key. Default false. */
  readonly insecure?: boolean | undefined
}

/** What one server name is served with. */
export interface ContextOption {
  readonly certificates: readonly CertificateOption[]
  readonly alpn?: readonly string[] | undefined
  readonly clientAuthentication?: ClientAuthenticationOption | undefined
}

export interface ServerTlsOptions extends CommonTlsOptions {
  /** The first that fits the server name and the client's signature schemes is used. Replaced with QuicListener.setCertificates(). */
  readonly certificates?: readonly CertificateOption[] | undefined
  /** Asked instead of `certificates`; null refuses the name. */
  readonly selectCertificate?: ((serverName: string | null) => CertificateOption | null) | undefined
  /**
   * Asked instead of both, and may take its time: what to serve this client with; null refuses the name. A rejection refuses too. Give
   * the same object for the same name: keys are imported once per object.
   */
  readonly selectContext?: ((hello: ClientHelloInfo) => ContextOption | null | Promise<ContextOption | null>) | undefined
  /** Chooses among the client's application protocols instead of `alpn`; null refuses with no_application_protocol. */
  readonly selectProtocol?: ((offered: readonly string[], serverName: string | null) => string | null) | undefined
  readonly clientAuthentication?: ClientAuthenticationOption | undefined
  /** Whether clients are given session tickets, and may come back with them (RFC 9001 §4.5). Default true. */
  readonly tickets?: boolean | undefined
  /**
   * Keys of session tickets, 32 bytes each: the first seals, all of them open. Whoever has one reads the 0-RTT packets of its clients:
   * rotate them with QuicListener.setTicketKeys(). Listeners that stand in for each other share them. Default: a random one.
   */
  readonly ticketKeys?: readonly Uint8Array[] | undefined
  /**
   * Whether 0-RTT packets are taken (RFC 9001 §4.6). An application with startsInEarlyData(), as serverH3Driver(), sees at once what came
   * in them, and that it may be a replay; others see it when the handshake is complete, which proves that it is none. Default false.
   */
  readonly earlyData?: boolean | undefined
  /**
   * Keys, 32 bytes each, of the cookie a HelloRetryRequest carries (RFC 9846 §4.3.2): the first seals, all of them open. Default: it carries
   * none, for the connection remembers the first ClientHello by itself.
   */
  readonly cookieKeys?: readonly Uint8Array[] | undefined
  /**
   * The record of early data taken (RFC 9846 §8.2), so that none is taken twice. Listeners that share `ticketKeys` share it, and it has to
   * know all that was taken with them: a SharedReplayRegister for threads. Default: one in this listener's memory, and with `ticketKeys`
   * no early data of clients that may have been elsewhere until a moment ago.
   */
  readonly replayRegister?: ReplayRegister | undefined
}

export interface ClientTlsOptions extends CommonTlsOptions {
  /** Accept any certificate. Default false. */
  readonly insecure?: boolean | undefined
  /** The groups to send key shares for, some of `groups`. Default: the first, and when that is a hybrid the second too. */
  readonly keyShares?: readonly GroupOption[] | undefined
  /** Roots to trust instead of those of `roots`. */
  readonly ca?: CertificateInput | undefined
  /** Which of this machine's roots to trust when `ca` is not given: those of Node, or of the operating system. Default `node`. */
  readonly roots?: RootsOption | undefined
  /** Roots to trust besides. */
  readonly extraCa?: CertificateInput | undefined
  /**
   * Trust a certificate by the SHA-256 of its DER (hexadecimal, colons allowed, or 32 bytes) instead of a chain and a name. As in
   * WebTransport it has to be for an ECDSA P-256 key and be valid for at most 14 days.
   */
  readonly serverCertificateHashes?: readonly (string | Uint8Array)[] | undefined
  /** Candidates for a server that asks; it gets the first that fits. */
  readonly certificates?: readonly CertificateOption[] | undefined
  /** Ask for an OCSP response. Default false. */
  readonly statusRequest?: boolean | undefined
  /** Ask for signed certificate timestamps. Default false. */
  readonly certificateTimestamps?: boolean | undefined
  /** Reserved values among those offered, which servers must ignore (RFC 8701), and an encrypted_client_hello that is none. Default true. */
  readonly grease?: boolean | undefined
  /** The time certificates are judged at, Unix milliseconds. Default: now. */
  readonly verifyTime?: number | undefined
}

export const DEFAULT_ALPN: readonly string[] = ['h3']

function privateKeyFrom(key: CertificateOption['key'], provider: CryptoProvider): PrivateKey {
  if (typeof key !== 'string' && !(key instanceof Uint8Array) && !(key instanceof KeyObject)) return key
  try {
    if (key instanceof KeyObject) return provider.importPrivateKey(new Uint8Array(key.export({ type: 'pkcs8', format: 'der' })))
    return provider.importPrivateKey(key instanceof Uint8Array && looksLikePem(key) ? Buffer.from(key).toString('latin1') : key)
  } catch (error) {
    throw new OptionError(`private key: ${(error as Error).message}`, error)
  }
}

export function serverCertificate(option: CertificateOption, provider: CryptoProvider): ServerCertificate {
  const { ocspResponse, signedCertificateTimestamps } = option
  return { ...clientCertificate(option, provider), ocspResponse, signedCertificateTimestamps }
}

function clientCertificate(option: CertificateOption, provider: CryptoProvider): ClientCertificate {
  return { chain: certificatesFrom(option.cert), key: privateKeyFrom(option.key, provider) }
}

/** Imports what an option stands for once per object. */
function once<Option extends object, Made>(make: (option: Option) => Made): (option: Option) => Made {
  const known = new WeakMap<Option, { readonly made: Made }>()
  return (option) => {
    let entry = known.get(option)
    if (entry === undefined) {
      entry = { made: make(option) }
      known.set(option, entry)
    }
    return entry.made
  }
}

/** What both roles share; a member that was not given stays absent. */
function common(options: CommonTlsOptions, keylog: ((line: string) => void) | null): TlsSettings {
  return {
    alpn: options.alpn ?? DEFAULT_ALPN,
    ...(options.cipherSuites === undefined ? {} : { cipherSuites: cipherSuitesFrom(options.cipherSuites) }),
    ...(options.groups === undefined ? {} : { groups: groupsFrom(options.groups, 'groups') }),
    ...(options.certificateCompression === undefined ? {} : { certificateCompression: options.certificateCompression }),
    ...(options.verifyPeer === undefined ? {} : { asksPeer: true }),
    ...(keylog === null ? {} : { keylog }),
  }
}

/** `timeOrigin`: Unix milliseconds when the clock of the connections is 0. */
export function serverTls(
  options: ServerTlsOptions,
  provider: CryptoProvider,
  keylog: ((line: string) => void) | null,
  timeOrigin: number,
): TlsSettings {
  const { selectCertificate, selectProtocol, clientAuthentication, cookieKeys } = options
  const settings: TlsSettings = {
    ...common(options, keylog),
    ...serverTickets(options, provider),
    timeOrigin,
    ...(selectProtocol === undefined ? {} : { selectProtocol }),
    ...(cookieKeys === undefined ? {} : { cookieKeys: checkedKeys(cookieKeys) }),
    ...(clientAuthentication === undefined ? {} : { clientAuthentication: authentication(clientAuthentication) }),
  }
  if (options.selectContext !== undefined) return { ...settings, asksContext: true }
  if (selectCertificate !== undefined) {
    const imported = once((option: CertificateOption) => serverCertificate(option, provider))
    return {
      ...settings,
      selectCertificate: (serverName) => {
        const option = selectCertificate(serverName)
        return option === null ? null : imported(option)
      },
    }
  }
  const certificates = options.certificates ?? []
  if (certificates.length === 0) throw new OptionError('a server needs tls.certificates, tls.selectCertificate or tls.selectContext')
  return { ...settings, certificates: new CertificateSet(certificates.map((option) => serverCertificate(option, provider))) }
}

function checkedKeys(keys: readonly Uint8Array[]): readonly Uint8Array[] {
  if (keys.length === 0 || keys.some((key) => key.length !== 32)) throw new OptionError('tls.cookieKeys: 32 bytes each, at least one')
  return keys
}

function serverTickets(options: ServerTlsOptions, provider: CryptoProvider): Pick<TlsSettings, 'tickets'> {
  if (options.tickets === false) return {}
  const { ticketKeys, earlyData, replayRegister } = options
  try {
    // RFC 9846 §8.2: keys that were given may have served another process, which keeps its own record of replays.
    const startedAt = ticketKeys === undefined || replayRegister !== undefined ? undefined : Date.now()
    return { tickets: new ServerTickets(provider, { keys: ticketKeys, earlyData, startedAt, replay: replayRegister }) }
  } catch (error) {
    throw new OptionError(`tls.ticketKeys: ${(error as Error).message}`, error)
  }
}

/** Throws OptionError when the settings have no certificates of their own. */
export function setCertificates(settings: TlsSettings, certificates: readonly CertificateOption[], provider: CryptoProvider): void {
  if (!(settings.certificates instanceof CertificateSet)) throw new OptionError('the certificates of this listener are selected by a function')
  if (certificates.length === 0) throw new OptionError('a server needs at least one certificate')
  settings.certificates.replace(certificates.map((option) => serverCertificate(option, provider)))
}

/** What the application answers for connections of a server. */
export function serverNeeds({ selectContext, verifyPeer }: ServerTlsOptions, provider: CryptoProvider): NeedHandlers {
  if (selectContext === undefined) return { verifyPeer }
  const imported = once((option: ContextOption): ServerContext => ({
    certificates: option.certificates.map((certificate) => serverCertificate(certificate, provider)),
    alpn: option.alpn,
    clientAuthentication: option.clientAuthentication === undefined ? undefined : authentication(option.clientAuthentication),
  }))
  return {
    verifyPeer,
    selectContext: async (hello) => {
      const option = await selectContext(hello)
      return option === null ? null : imported(option)
    },
  }
}

function authentication({ required, ca, roots, insecure }: ClientAuthenticationOption): ClientAuthentication {
  return { required, verify: insecure === true ? { mode: 'insecure' } : { mode: 'chain', roots: rootsOf({ ca, roots }) } }
}

function anchors(...inputs: readonly CertificateInput[]): TrustAnchors {
  try {
    return TrustAnchors.from(inputs.flatMap(certificatesFrom))
  } catch (error) {
    throw new OptionError(`tls.ca: ${(error as Error).message}`, error)
  }
}

function rootsOf({ ca, extraCa, roots = 'node' }: Pick<ClientTlsOptions, 'ca' | 'extraCa' | 'roots'>): TrustAnchors {
  if (extraCa !== undefined) return anchors(ca ?? machineCertificates(roots), extraCa)
  return ca === undefined ? machineRoots(roots) : anchors(ca)
}

const SHA256_LENGTH = 32

/** The 32 bytes of an entry of `serverCertificateHashes`. Throws OptionError. */
export function certificateHash(given: string | Uint8Array): Uint8Array {
  const hash = typeof given === 'string' ? new Uint8Array(Buffer.from(given.replaceAll(':', ''), 'hex')) : given
  if (hash.length !== SHA256_LENGTH) throw new OptionError('tls.serverCertificateHashes: a SHA-256 hash is 32 bytes, 64 hexadecimal digits')
  return hash
}

function verifyPolicy(options: ClientTlsOptions): VerifyPolicy {
  if (options.insecure === true) return { mode: 'insecure' }
  const unixTimeMs = options.verifyTime ?? Date.now()
  const hashes = options.serverCertificateHashes
  if (hashes === undefined) return { mode: 'chain', roots: rootsOf(options), unixTimeMs }
  if (hashes.length === 0) throw new OptionError('tls.serverCertificateHashes is empty: nothing would be trusted')
  return { mode: 'pinned', hashes: hashes.map(certificateHash), unixTimeMs }
}

export function clientTls(
  options: ClientTlsOptions,
  serverName: string,
  keylog: ((line: string) => void) | null,
  provider: CryptoProvider,
): TlsSettings {
  const { certificates, statusRequest, certificateTimestamps, keyShares, grease } = options
  return {
    ...common(options, keylog),
    serverName,
    verify: verifyPolicy(options),
    ...(certificates === undefined ? {} : { clientCertificates: certificates.map((option) => clientCertificate(option, provider)) }),
    ...(keyShares === undefined ? {} : { keyShares: groupsFrom(keyShares, 'keyShares') }),
    ...(statusRequest === undefined ? {} : { statusRequest }),
    ...(certificateTimestamps === undefined ? {} : { certificateTimestamps }),
    ...(grease === undefined ? {} : { grease }),
  }
}
