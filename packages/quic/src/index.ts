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
export { NewReno } from './congestion/new-reno.ts'
export type { CloseCause, CloseReason } from './connection/close-reason.ts'
export type { ConnectionConfig, TlsSettings, TransportSettings } from './connection/config.ts'
export { transportSettings } from './connection/config.ts'
export { Connection } from './connection/connection.ts'
export type { IncomingInitial } from './connection/connection.ts'
export type { ConnectionEvent } from './connection/events.ts'
export { Transmit } from './connection/send/transmit-buffer.ts'
export type { ConnectionStats, PathStats } from './connection/stats.ts'
export { hkdfExpandLabel, hkdfExtract } from './crypto/hkdf.ts'
export { cipherSuite } from './crypto/provider.ts'
export type { CipherSuiteId, CryptoProvider, NamedGroup, PrivateKey, SignatureScheme } from './crypto/provider.ts'
export { Endpoint } from './endpoint/endpoint.ts'
export type { EndpointConfig } from './endpoint/endpoint.ts'
export type { PathAddress } from './path/path-address.ts'
export { ReceiveState } from './stream/streams.ts'
export type { StreamEvent } from './stream/stream-events.ts'
export { createDevCertificate } from './tls/certificates/development.ts'
export type { DevCertificate, DevCertificateOptions } from './tls/certificates/development.ts'
export { certificatesFromPem, encodePem } from './tls/certificates/pem.ts'
export { TrustAnchors } from './tls/certificates/roots.ts'
export type { HandshakeInfo, ServerCertificate, TlsConfig, VerifyPolicy } from './tls/config.ts'
export { CertificateError, TlsUsageError } from './tls/errors.ts'
export type { TlsAnswer, TlsEvent, TlsNeed, VerifyItem } from './tls/events.ts'
export type { TraceSink } from './trace/sink.ts'
export { PacketType, TransportErrorCode } from './wire/constants.ts'
export { TransportError, transportErrorName } from './wire/transport-error.ts'
export type { TransportParameters } from './wire/transport-parameters/table.ts'
export type { WireValue } from './wire/varint.ts'
