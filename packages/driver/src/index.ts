// @quicwire/driver: QUIC connections over node:dgram, and HTTP/3 on them. The only package with sockets, timers and promises.

export type { ApplicationContext, ApplicationOverQuic, HandshakeTimes, TransportEvent } from './app/application.ts'
export { bounded, BoundedSender } from './channel/bounded.ts'
export type { BoundedChannel, TryReserved, TrySent } from './channel/bounded.ts'
export { Receiver } from './channel/receiver.ts'
export type { TryReceived } from './channel/receiver.ts'
export { unbounded, UnboundedSender } from './channel/unbounded.ts'
export type { UnboundedChannel } from './channel/unbounded.ts'
export type { Waker } from './channel/waker.ts'
export { ClientSocket, connect } from './connect.ts'
export type { ClientSocketOptions, ConnectOptions } from './connect.ts'
export * from './errors.ts'
export { SharedReplayRegister } from './group/shared-replay-register.ts'
export { WorkerConnectionIds, workerOf } from './group/worker-ids.ts'
export { joinGroup, WorkerGroup } from './group/worker-group.ts'
export type { GroupMember, GroupPlace, WorkerGroupOptions } from './group/worker-group.ts'
export { H3AuditStats } from './h3/audit-stats.ts'
export type { StreamClosureKind } from './h3/audit-stats.ts'
export { RequestSender } from './h3/commands.ts'
export type { ClientH3Command, H3Command, NewClientRequest, QuicCommand, ServerH3Command, StreamShutdown } from './h3/commands.ts'
export { ClientH3Controller, H3Controller, ServerH3Controller } from './h3/controller.ts'
export { clientH3Driver, H3Driver, serverH3Driver } from './h3/driver.ts'
export type { ClientH3Driver, ServerH3Driver } from './h3/driver.ts'
export { http3EarlyData } from './h3/early-data.ts'
export type { EarlyDataPolicy } from './h3/early-data.ts'
export type { ClientH3Event, H3Event, IncomingH3Headers, ServerH3Event } from './h3/events.ts'
export type {
  InboundDatagram,
  InboundDatagramStream,
  InboundFrame,
  InboundFrameStream,
  OutboundDatagram,
  OutboundDatagramSender,
  OutboundFrame,
  OutboundFrameSender,
  Priority,
} from './h3/frames.ts'
export { joinCookies } from '@quicwire/h3'
export { openIpTunnel } from './masque/client/ip-tunnel.ts'
export type { IpTunnelOptions } from './masque/client/ip-tunnel.ts'
export { MasqueClient } from './masque/client/masque-client.ts'
export type { ConnectedStream, TunnelRequestOptions } from './masque/client/masque-client.ts'
export { openTcpTunnel, TcpTunnel } from './masque/client/tcp-tunnel.ts'
export type { TcpTunnelOptions } from './masque/client/tcp-tunnel.ts'
export { TunnelSocket } from './masque/client/tunnel-socket.ts'
export { MAX_UDP_PAYLOAD, openUdpTunnel, UdpTunnel } from './masque/client/udp-tunnel.ts'
export type { RemoteInfo, UdpTunnelEvents, UdpTunnelOptions } from './masque/client/udp-tunnel.ts'
export { MasqueError, TunnelRefusedError } from './masque/errors.ts'
export type { MasqueErrorCode } from './masque/errors.ts'
export { formatAddress as formatIpAddress, formatPrefix, parseAddress as parseIpAddress } from './masque/ip/address.ts'
export type { IpPrefix, IpVersion } from './masque/ip/address.ts'
export type { AssignedAddress, RequestedAddress } from './masque/ip/address-capsules.ts'
export type { PacketFault } from './masque/ip/ip-link.ts'
export { IpTunnel, prefixFrom, routeTo } from './masque/ip/ip-tunnel.ts'
export type { AddressWish, IpTunnelHandler } from './masque/ip/ip-tunnel.ts'
export type { AddressRange } from './masque/ip/route-capsule.ts'
export type { IpScope } from './masque/ip/scope.ts'
export { TargetPolicy } from './masque/policy/target-policy.ts'
export type { TargetPolicyOptions } from './masque/policy/target-policy.ts'
export { MasqueProxy } from './masque/proxy/masque-proxy.ts'
export type { Authorization, IpService, MasqueProxyOptions, TunnelProtocol, TunnelRequest } from './masque/proxy/proxy-settings.ts'
export { ProxyConnection } from './masque/proxy/proxy-connection.ts'
export type { DatagramOutcome } from './masque/tunnel/http-tunnel.ts'
export { targetFrom } from './masque/uri/target.ts'
export type { TunnelTarget } from './masque/uri/target.ts'
export { DEFAULT_IP_PATH, DEFAULT_UDP_PATH, UriTemplate } from './masque/uri/uri-template.ts'
export { monotonicClock } from './io/clock.ts'
export type { Clock } from './io/clock.ts'
export { DatagramBatch, SEND_BUFFER_SIZE } from './io/datagram-socket.ts'
export type { DatagramHandler, DatagramSocket, SocketFeatures } from './io/datagram-socket.ts'
export { DgramSocket } from './io/dgram-socket.ts'
export type { DgramSocketOptions } from './io/dgram-socket.ts'
export { ffiSupport } from './io/ffi/availability.ts'
export type { FfiSupport, FfiUnavailableReason } from './io/ffi/availability.ts'
export { FfiSocket } from './io/ffi/ffi-socket.ts'
export type { FfiSocketOptions } from './io/ffi/ffi-socket.ts'
export { MemoryNetwork, MemorySocket } from './io/memory-socket.ts'
export type { DatagramFilter } from './io/memory-socket.ts'
export { SocketSet } from './io/socket-set.ts'
export { formatAddress, UdpPath } from './io/socket-address.ts'
export type { SocketAddress } from './io/socket-address.ts'
export type { SocketKind } from './io/socket-kind.ts'
export { IncomingConnection, listen, QuicListener } from './listen.ts'
export type { ListenAddress, ListenerCloseOptions, ListenOptions } from './listen.ts'
export { MemoryMetrics } from './metrics/memory-metrics.ts'
export type { Histogram } from './metrics/memory-metrics.ts'
export { noMetrics } from './metrics/metrics.ts'
export type { CounterName, GaugeName, HistogramName, Metrics } from './metrics/metrics.ts'
export { PrometheusMetrics } from './metrics/prometheus-text.ts'
export type { LocalChoice } from './moves.ts'
export { QuicConnection } from './quic-connection.ts'
export type { CloseOptions } from './quic-connection.ts'
export { FileSessionStore } from './settings/file-session-store.ts'
export type { FileSessionLimits } from './settings/file-session-store.ts'
export type { Http3Settings } from './settings/http3-settings.ts'
export { processSessions } from './settings/session-store.ts'
export { processTokens } from './settings/token-store.ts'
export type { CongestionAlgorithm, QuicSettings } from './settings/quic-settings.ts'
export { defaultStreamCapacity, FLOW_CAPACITY, STREAM_CAPACITY } from './settings/stream-capacity.ts'
export { QuicAuditStats } from './stats/quic-audit-stats.ts'
export type { QuicConnectionStats, SocketStats } from './stats/socket-stats.ts'
export { cryptoProvider } from './tls/crypto-choice.ts'
export type { CryptoChoice } from './tls/crypto-choice.ts'
export { cipherSuiteName, groupName } from './tls/algorithm-names.ts'
export type { CipherSuiteOption, GroupOption } from './tls/algorithm-names.ts'
export type { CertificateInput } from './tls/certificate-input.ts'
export { externalKey } from './tls/external-key.ts'
export type { ExternalKey } from './tls/external-key.ts'
export type { PeerCertificates } from './tls/need-answers.ts'
export type {
  CertificateOption,
  ClientAuthenticationOption,
  ClientTlsOptions,
  CommonTlsOptions,
  ContextOption,
  PeerVerifier,
  ServerTlsOptions,
} from './tls/tls-options.ts'
export type { RootsOption } from './tls/trust-store.ts'
export { wrapConnection } from './wrap.ts'
export type { WrapOptions, WrappedConnection } from './wrap.ts'
export {
  createDevCertificate,
  MemoryReplayRegister,
  MemorySessionStore,
  MemoryTokenStore,
  QuicLbDecoder,
  QuicLbGenerator,
  retryAbove,
  VERSION_1,
  VERSION_2,
} from '@quicwire/quic'
export type {
  ClientHelloInfo,
  ConnectionIdGenerator,
  DevCertificate,
  DevCertificateOptions,
  IncomingAttempt,
  IncomingPolicy,
  IncomingVerdict,
  QuicLbConfig,
  ReplayRegister,
  SessionStore,
  StoredSession,
  TokenStore,
} from '@quicwire/quic'
