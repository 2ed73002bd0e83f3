// quicwire: HTTP/3 server and client for Node.

export { connect, request, type ConnectOptions } from './client/connect.ts'
export type { IncomingResponse, RequestInit, SentRequest, Session, SessionInfo, SessionStats } from './client/session.ts'
export { UrlError } from './client/target.ts'
export { createFileHandler, type FileHandlerOptions } from './files/file-handler.ts'
export { ResponseError } from './http/body-stream.ts'
export { connectIp, connectTcp, connectUdp, type ConnectIpOptions, type ConnectTcpOptions, type ConnectUdpOptions } from './masque/connect-tunnel.ts'
export type { HeaderCompressionStats } from './http/header-compression.ts'
export { headerValue } from './http/message.ts'
export type { BodySource, ByteStream, Handler, Header, IncomingRequest, OutgoingResponse, Priority } from './http/message.ts'
export { developmentCertificate, type DevelopmentCertificate, type DevelopmentCertificateOptions } from './server/development-certificate.ts'
export { serve, type ServeOptions, type Server, type ServerCloseOptions, type ServerStats } from './server/serve.ts'
export { CertificateFileError } from './tls/certificate-files.ts'
export * from '@quicwire/driver/errors'
export { FileSessionStore } from '@quicwire/driver'
export { IpTunnel, MasqueError, MasqueProxy, prefixFrom, routeTo, TargetPolicy, TcpTunnel, TunnelRefusedError, UdpTunnel } from '@quicwire/driver'
export type {
  IpService,
  IpTunnelHandler,
  MasqueProxyOptions,
  TargetPolicyOptions,
  TunnelRequest,
  TunnelTarget,
} from '@quicwire/driver'
