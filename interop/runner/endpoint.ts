// An endpoint of quic-interop-runner: a program for each role that is told everything by environment variables.
//
// What an endpoint reads, as in the runner's containers:
//   ROLE client or server · TESTCASE · REQUESTS (client: URLs, space-separated) · SSLKEYLOGFILE (a file) · QLOGDIR (a folder)
// and what a container has at fixed places:
//   WWW (/www, served) · DOWNLOADS (/downloads, where files go by their basename) · CERTS (/certs: cert.pem leaf first, priv.key, ca.pem)
//   LISTEN_ADDRESS (::, both IP versions) and LISTEN_PORT (443) of a server
//   PREFERRED_ADDRESSES (server, TESTCASE connectionmigration): `IPv4:PORT [IPv6]:PORT` to migrate clients to, listened on as well
// Exit status: 0 done, 127 this TESTCASE is not supported, anything else failed.

export type Role = 'client' | 'server'

export interface Endpoint {
  readonly name: string
  readonly roles: readonly Role[]
  /** Makes it available; resolves with its version, rejects with InstallError. */
  install(): Promise<string>
  /** Program and arguments; the rest it reads from its environment. */
  command(role: Role): readonly string[]
  /** It knows /www, /downloads, /certs and /logs only, whatever the environment says: it needs to be root to have them for itself. */
  readonly fixedPaths?: boolean
  /** Cases that it fails through a fault of its own, shown by a capture: 'ROLE: CASE' to the reason, ROLE its own. */
  readonly faults?: Readonly<Record<string, string>>
}

export interface EndpointDirectories {
  readonly www: string
  readonly downloads: string
  readonly certificates: string
  /** Holds keys.log and qlog/. */
  readonly logs: string
}
