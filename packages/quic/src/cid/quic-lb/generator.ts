// Connection IDs that tell a load balancer which server they belong to (draft-ietf-quic-load-balancers §3, §5). Their length stays
// the same for the life of the generator, whatever the configuration: short headers do not say it.

import type { RandomSource } from '../../base/random.ts'
import type { ConnectionIdGenerator } from '../generator.ts'
import { BlockCodec } from './block-codec.ts'
import { UNROUTABLE_CONFIG_ID, checkQuicLbConfig, routableLength } from './config.ts'
import type { QuicLbConfig } from './config.ts'

export interface QuicLbGeneratorOptions {
  readonly random: RandomSource
  /** Null: no configuration yet; connection IDs are unroutable until configure() (§3.2). */
  readonly config: QuicLbConfig | null
  /** This server's ID in `config`. Empty without one. */
  readonly serverId: Uint8Array
  /** Bytes of every connection ID, at most 20; random bytes fill it up. Default: what `config` takes, 8 without one. */
  readonly length?: number
  /** Write the length into the first octet (§3.3), for hardware on the server. Default true; false puts random bits there. */
  readonly encodeLength?: boolean
}

const UNCONFIGURED_LENGTH = 8

export class QuicLbGenerator implements ConnectionIdGenerator {
  readonly length: number
  private readonly random: RandomSource
  private readonly encodeLength: boolean
  private codec: BlockCodec | null
  private config: QuicLbConfig | null
  private serverId: Uint8Array
  /** The nonce used last, and the first one: with a key none may come twice (§9.6). */
  private nonce: Uint8Array
  private firstNonce: Uint8Array
  private isFresh: boolean

  /** Throws RangeError when configuration, server ID and length do not fit together. */
  constructor(options: QuicLbGeneratorOptions) {
    const { config } = options
    const length = options.length ?? (config === null ? UNCONFIGURED_LENGTH : routableLength(config))
    if (!Number.isInteger(length) || length < 1 || length > 20) throw new RangeError('a QUIC-LB connection ID has 1 to 20 bytes')
    this.length = length
    this.random = options.random
    this.encodeLength = options.encodeLength ?? true
    this.codec = null
    this.config = null
    this.serverId = new Uint8Array(0)
    this.nonce = new Uint8Array(0)
    this.firstNonce = new Uint8Array(0)
    this.isFresh = true
    this.configure(config, options.serverId)
  }

  /**
   * From now on connection IDs follow another configuration, or none. Those issued before stay valid here; let the peers replace them
   * while the load balancers still know the old configuration (§3.1). Throws RangeError as the constructor does.
   */
  configure(config: QuicLbConfig | null, serverId: Uint8Array): void {
    if (config === null) {
      this.codec = null
      this.config = null
      return
    }
    checkQuicLbConfig(config)
    const { serverIdLength } = config
    if (serverId.length !== serverIdLength) throw new RangeError(`the server ID has ${serverId.length} bytes, not ${serverIdLength}`)
    if (routableLength(config) > this.length) throw new RangeError(`connection IDs of ${this.length} bytes cannot hold server ID and nonce`)
    this.codec = new BlockCodec(config)
    this.config = config
    this.serverId = serverId.slice()
    this.firstNonce = new Uint8Array(config.nonceLength)
    this.random.fill(this.firstNonce)
    this.nonce = this.firstNonce.slice()
    this.isFresh = true
  }

  /** False when there is no configuration, or its nonces are used up: load balancers cannot route what generate() makes. */
  isRoutable(): boolean {
    return this.config !== null
  }

  generate(): Uint8Array {
    const connectionId = new Uint8Array(this.length)
    this.random.fill(connectionId)
    const { config, codec } = this
    if (config === null || codec === null || !this.takeNonce(config)) {
      // §3.2: those without configuration encode their length.
      connectionId[0] = (UNROUTABLE_CONFIG_ID << 5) | (this.length - 1)
      return connectionId
    }
    const low = this.encodeLength ? this.length - 1 : connectionId[0]! & 0x1f
    connectionId[0] = (config.configId << 5) | low
    connectionId.set(this.serverId, 1)
    connectionId.set(this.nonce, 1 + config.serverIdLength)
    codec.encrypt(connectionId, 1)
    return connectionId
  }

  /** False when every nonce was used: the configuration is given up (§9.6). */
  private takeNonce(config: QuicLbConfig): boolean {
    // §5.4: without a key the nonce must not show any relation to others.
    if (config.cipher === null) {
      this.random.fill(this.nonce)
      return true
    }
    if (this.isFresh) {
      this.isFresh = false
      return true
    }
    const { nonce, firstNonce } = this
    for (let i = nonce.length - 1; i >= 0; i -= 1) {
      nonce[i] = (nonce[i]! + 1) & 0xff
      if (nonce[i] !== 0) break
    }
    if (!nonce.every((byte, i) => byte === firstNonce[i])) return true
    this.configure(null, this.serverId)
    return false
  }
}
