// The versions of one connection (RFC 9368 §2, §3): what both sides may speak, what the first flight said, and whether the choice is
// made. The rules that use it are in version.ts.

import { EMPTY } from '../../base/bytes.ts'
import type { RandomSource } from '../../base/random.ts'
import { greasedVersions, isCompatibleVersion } from '../../wire/version.ts'

export interface VersionsConfig {
  readonly role: 'client' | 'server'
  /** Of the client's first packet. */
  readonly original: number
  /** What this side speaks; a client's order of preference. */
  readonly supported: readonly number[]
  /** Servers: the version to move to where the client can, 0 for the client's choice. */
  readonly preferred: number
  /** Clients: this attempt follows a Version Negotiation packet. */
  readonly afterNegotiation: boolean
}

export class Versions {
  readonly original: number
  readonly supported: readonly number[]
  readonly afterNegotiation: boolean
  /** The negotiated version is known: on a client since the server's first CRYPTO bytes, on a server since the ClientHello. */
  isSettled: boolean
  /** The connection ID that Initial keys are derived from. */
  keyedBy: Uint8Array
  /** Version of the keys in PacketSpace.otherVersionKeys, 0 for none. */
  otherVersion: number
  /** Servers: our transport parameters with a Chosen Version, until it is settled. */
  encodeParameters: ((chosen: number) => Uint8Array) | null
  /** Servers: the ClientHello as far as it has arrived. */
  hello: Uint8Array
  private readonly role: 'client' | 'server'
  private readonly preferred: number

  constructor(config: VersionsConfig) {
    this.original = config.original
    this.supported = config.supported
    this.afterNegotiation = config.afterNegotiation
    this.isSettled = false
    this.keyedBy = EMPTY
    this.otherVersion = 0
    this.encodeParameters = null
    this.hello = EMPTY
    this.role = config.role
    this.preferred = config.preferred
  }

  /** Versions a first flight in `original` can be taken for (RFC 9368 §3): what a client calls its Available Versions. */
  compatible(): number[] {
    return this.supported.filter((version) => isCompatibleVersion(this.original, version))
  }

  /**
   * Whether Initial packets of a version that is not in use deserve a look: on a client the server's answer to compatible versions, on
   * a server what the client sent before it learned of the change (RFC 9369 §4.1).
   */
  mayRead(version: number): boolean {
    if (this.role === 'server') return this.isSettled && version === this.original
    return !this.isSettled && this.supported.includes(version) && isCompatibleVersion(this.original, version)
  }

  /** RFC 9368 §2.3: the version a server answers in. Its own preference goes first, then the client's order. */
  negotiate(available: readonly number[]): number {
    const common = available.filter((version) => this.supported.includes(version) && isCompatibleVersion(this.original, version))
    return common.includes(this.preferred) ? this.preferred : (common[0] ?? this.original)
  }
}

/** RFC 9368 §3: the Available Versions, with a reserved one among them when there is randomness for it. */
export function announcedVersions(versions: Versions, isServer: boolean, random: RandomSource | null): number[] {
  const available = isServer ? [...versions.supported] : versions.compatible()
  if (random === null) return available
  const draw = new Uint8Array(5)
  random.fill(draw)
  return greasedVersions(available, draw)
}
