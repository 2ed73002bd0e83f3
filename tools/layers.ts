// The layer table: which folder of a package may import which, and which package may import which.
// It is the machine-readable half of docs/architecture.md; check-layers.ts enforces it.

/** Folders of packages/quic/src. An entry with a slash is one file that may be imported from an otherwise closed folder. */
export const quicLayers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: ['base'],
  crypto: ['base'],
  tls: ['base', 'wire', 'crypto'],
  delivery: ['base', 'wire'],
  cid: ['base', 'wire', 'delivery'],
  recovery: ['base'],
  congestion: ['base', 'recovery'],
  stream: ['base', 'wire', 'delivery'],
  datagram: ['base', 'wire', 'delivery'],
  path: ['base', 'wire', 'delivery', 'recovery', 'congestion', 'cid', 'crypto/packet-keys', 'crypto/one-rtt-keys', 'stream/crypto-stream'],
  space: ['base', 'wire', 'delivery', 'recovery', 'congestion', 'cid', 'crypto/packet-keys', 'crypto/one-rtt-keys', 'stream/crypto-stream'],
  trace: ['base'],
  qlog: ['base', 'wire', 'trace'],
  connection: [
    'base', 'wire', 'crypto', 'tls', 'delivery', 'cid', 'recovery', 'congestion', 'stream', 'datagram', 'path', 'space', 'trace',
  ],
  endpoint: [
    'base', 'wire', 'crypto', 'tls', 'delivery', 'cid', 'recovery', 'congestion', 'stream', 'datagram', 'path', 'space', 'trace', 'connection',
  ],
  testing: ['*'],
}

export interface PackageRule {
  /** Other packages of the workspace that its sources may import, by exact specifier. */
  readonly workspace: readonly string[]
  /** True: functions of (state, bytes, now, random) only. */
  readonly pure: boolean
  readonly instead: string
}

export const packageRules: Readonly<Record<string, PackageRule>> = {
  quic: { workspace: [], pure: true, instead: 'quic stands on its own: move what is shared down into quic, or pass it in' },
  qpack: { workspace: [], pure: true, instead: 'qpack imports nothing: pass what it needs as an argument' },
  h3: {
    workspace: ['@quicwire/qpack', '@quicwire/quic/varint'],
    pure: true,
    instead: 'h3 sees the transport only through its own H3Transport interface; of quic it may import @quicwire/quic/varint',
  },
  driver: {
    workspace: [
      '@quicwire/quic',
      '@quicwire/quic/varint',
      '@quicwire/quic/crypto-node',
      '@quicwire/quic/crypto-noble',
      '@quicwire/quic/qlog',
      '@quicwire/quic/ring',
      '@quicwire/h3',
    ],
    pure: false,
    instead: 'the driver uses the public entry points of quic and h3: export what is missing there',
  },
  quicwire: { workspace: ['@quicwire/driver', '@quicwire/driver/errors'], pure: false, instead: 'quicwire imports the driver only: let the driver export what is missing' },
}

/** Folders of quic that may touch Node: the providers built on it. */
export const nodeFolders: readonly string[] = ['crypto/node/', 'crypto/ffi/']

/** Folders on the way of every packet. */
export const hotFolders: readonly string[] = ['receive', 'send', 'space', 'recovery', 'stream']
