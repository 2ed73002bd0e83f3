// What the servers and load balancers of a pool share (draft-ietf-quic-load-balancers §3.1, §5): which configuration, how
// many bytes of server ID and nonce, and the key, if there is one.

/** AES-128 on single blocks of 16 bytes, in place: what CryptoProvider.blockCipher() makes of a key. */
export interface BlockCipher {
  encrypt(block: Uint8Array): void
  decrypt(block: Uint8Array): void
}

export interface QuicLbConfig {
  /** 0 to 6: the three config rotation bits (§3.1). */
  readonly configId: number
  /** Bytes, at least 1. */
  readonly serverIdLength: number
  /** Bytes, at least 4; with the server ID at most 19. 16 together is encrypted in a single pass, anything else in four. */
  readonly nonceLength: number
  /** Null leaves the server ID readable for everybody: observers can link a client's paths. */
  readonly cipher: BlockCipher | null
}

/** §3.2: the configuration of those that have none. */
export const UNROUTABLE_CONFIG_ID = 7

/** First octet and plaintext block. */
export function routableLength(config: QuicLbConfig): number {
  return 1 + config.serverIdLength + config.nonceLength
}

/** Throws RangeError for what §3.1 and §5.3 do not allow. */
export function checkQuicLbConfig({ configId, serverIdLength, nonceLength }: QuicLbConfig): void {
  const integers = Number.isInteger(configId) && Number.isInteger(serverIdLength) && Number.isInteger(nonceLength)
  if (!integers || configId < 0 || configId >= UNROUTABLE_CONFIG_ID) throw new RangeError('a QUIC-LB configuration ID is 0 to 6')
  if (serverIdLength < 1) throw new RangeError('a QUIC-LB server ID has at least 1 byte')
  if (nonceLength < 4) throw new RangeError('a QUIC-LB nonce has at least 4 bytes')
  if (serverIdLength + nonceLength > 19) throw new RangeError('QUIC-LB server ID and nonce have at most 19 bytes together')
}
