// The public surface of @quicwire/quic. Crypto providers, the simulator, qlog and varints are subpaths of their own:
// ./crypto-node, ./crypto-noble, ./testing, ./qlog, ./varint.

export { InvariantError } from './base/assert.ts'
export type { RandomSource } from './base/random.ts'
export { RandomConnectionIdGenerator } from './cid/generator.ts'
export type { ConnectionIdGenerator } from './cid/generator.ts'
export type {
  CongestionController,
  CongestionControllerFactory,
  CongestionEventKind,
  CongestionSnapshot,
} from './congestion/controller.ts'
export { Bbr } from './congestion/bbr/index.ts'
export { Cubic } from './congestion/cubic.ts'
export { NewReno } from './congestion/new-reno.ts'
export { QuicLbDecoder } from './cid/quic-lb/decoder.ts'
export type { QuicLbDecoderOptions } from './cid/quic-lb/decoder.ts'
export { QuicLbGenerator } from './cid/quic-lb/generator.ts'
export type { QuicLbGeneratorOptions } from './cid/quic-lb/generator.ts'
export type { QuicLbConfig } from './cid/quic-lb/config.ts'
export type { CloseCause, CloseReason, VersionOffer } from './connection/close-reason.ts'
export type { ConnectionConfig, TlsSettings, TransportSettings, VersionSettings } from './connection/config.ts'
export { transportSettings, versionSettings } from './connection/config.ts'
export { Connection } from './connection/connection.ts'
export type { IncomingInitial } from './connection/connection.ts'
export { MigrationError } from './connection/migration-error.ts'
export type { ConnectionEvent } from './connection/events.ts'
export { MAX_ADDRESS_TOKEN, MemoryTokenStore } from './connection/handshake/token-store.ts'
export type { TokenStore } from './connection/handshake/token-store.ts'
export { Transmit } from './connection/send/transmit-buffer.ts'
export type { ConnectionStats, PathStats } from './connection/stats.ts'
export type { DatagramOutcome } from './datagram/queue.ts'
export { hkdfExpandLabel, hkdfExtract } from './crypto/hkdf.ts'
export { CipherSuite, cipherSuite, isCipherSuite, NamedGroup } from './crypto/provider.ts'
export type { BlockCipher, CipherSuiteId, CryptoProvider, PrivateKey, SignatureScheme } from './crypto/provider.ts'
export { Endpoint } from './endpoint/endpoint.ts'
export type { EndpointConfig } from './endpoint/endpoint.ts'
export { acceptAll, retryAbove } from './endpoint/incoming.ts'
export { TOKEN_KEY_LENGTH, checkTokenKeys } from './endpoint/tokens.ts'
export type { IncomingAttempt, IncomingPolicy, IncomingVerdict } from './endpoint/incoming.ts'
export type { MigrationRefusal } from './path/migration-rules.ts'
export type { PathAddress } from './path/path-address.ts'
export { checkPreferredAddress } from './path/preferred-address.ts'
export type { PreferredAddressConfig } from './path/preferred-address.ts'
export { ReceiveState } from './stream/streams.ts'
export type { StreamEvent } from './stream/stream-events.ts'
export { createDevCertificate } from './tls/certificates/development.ts'
export type { DevCertificate, DevCertificateOptions } from './tls/certificates/development.ts'
export { certificatesFromPem, encodePem } from './tls/certificates/pem.ts'
export { MemoryReplayRegister } from './tls/resumption/replay-register.ts'
export type { ReplayRegister } from './tls/resumption/replay-register.ts'
export { ServerTickets } from './tls/resumption/server-tickets.ts'
export type { TicketSettings } from './tls/resumption/server-tickets.ts'
export { MemorySessionStore } from './tls/resumption/session-store.ts'
export type { SessionLimits, SessionStore, StoredSession } from './tls/resumption/session-store.ts'
export { TrustAnchors } from './tls/certificates/roots.ts'
export { CertificateSet } from './tls/certificates/certificate-set.ts'
export type {
  ClientAuthentication,
  ClientCertificate,
  HandshakeInfo,
  ServerCertificate,
  ServerContext,
  TlsConfig,
  VerifyPolicy,
} from './tls/config.ts'
export { CertificateError, TlsUsageError } from './tls/errors.ts'
export type { ClientHelloInfo, TlsAnswer, TlsEvent, TlsNeed, VerifyItem } from './tls/events.ts'
export type { TraceSink } from './trace/sink.ts'
export { PacketType, TransportErrorCode, VERSION_1, VERSION_2 } from './wire/constants.ts'
export { TransportError, transportErrorName } from './wire/transport-error.ts'
export type { TransportParameters } from './wire/transport-parameters/table.ts'
export type { WireValue } from './wire/varint.ts'
