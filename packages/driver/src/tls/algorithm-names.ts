// Names of what TLS 1.3 negotiates, as IANA writes them, and as people know them from OpenSSL and node:tls.

import { CipherSuite, NamedGroup, isCipherSuite, type CipherSuiteId } from '@quicwire/quic'
import { OptionError } from '../errors.ts'

type CipherSuiteName = 'TLS_AES_128_GCM_SHA256' | 'TLS_AES_256_GCM_SHA384' | 'TLS_CHACHA20_POLY1305_SHA256'
type GroupName = 'X25519MLKEM768' | 'SecP256r1MLKEM768' | 'x25519' | 'secp256r1' | 'secp384r1'

const CIPHER_SUITES: Readonly<Record<CipherSuiteName, CipherSuiteId>> = {
  TLS_AES_128_GCM_SHA256: CipherSuite.aes128GcmSha256,
  TLS_AES_256_GCM_SHA384: CipherSuite.aes256GcmSha384,
  TLS_CHACHA20_POLY1305_SHA256: CipherSuite.chacha20Poly1305Sha256,
}

const GROUPS: Readonly<Record<GroupName, NamedGroup>> = {
  X25519MLKEM768: NamedGroup.x25519MlKem768,
  SecP256r1MLKEM768: NamedGroup.secp256r1MlKem768,
  x25519: NamedGroup.x25519,
  secp256r1: NamedGroup.secp256r1,
  secp384r1: NamedGroup.secp384r1,
}

/** In lower case. */
const OTHER_GROUP_NAMES: Readonly<Record<string, NamedGroup>> = {
  'p-256': NamedGroup.secp256r1,
  'p-384': NamedGroup.secp384r1,
  prime256v1: NamedGroup.secp256r1,
}

/** A cipher suite by its IANA name, which is also OpenSSL's, or its number. */
export type CipherSuiteOption = CipherSuiteName | CipherSuiteId
/** A group by its IANA name, its number, or as `P-256`, `P-384` or `prime256v1`; letter case does not matter. */
export type GroupOption = GroupName | 'X25519' | 'P-256' | 'P-384' | 'prime256v1' | NamedGroup

export function cipherSuiteName(id: number): string {
  return Object.entries(CIPHER_SUITES).find(([, suite]) => suite === id)?.[0] ?? `cipher suite 0x${id.toString(16)}`
}

export function groupName(id: number): string {
  return Object.entries(GROUPS).find(([, group]) => group === id)?.[0] ?? `group 0x${id.toString(16)}`
}

/** Throws OptionError for what is none. */
export function cipherSuitesFrom(options: readonly CipherSuiteOption[]): readonly CipherSuiteId[] {
  return options.map((option) => {
    if (typeof option === 'number' && isCipherSuite(option)) return option
    const found = Object.entries(CIPHER_SUITES).find(([name]) => name === String(option).toUpperCase())
    if (found === undefined) throw new OptionError(`tls.cipherSuites: '${option}' is none of ${Object.keys(CIPHER_SUITES).join(', ')}`)
    return found[1]
  })
}

/** Throws OptionError for what is none; `what` is the option's name. */
export function groupsFrom(options: readonly GroupOption[], what: 'groups' | 'keyShares'): readonly NamedGroup[] {
  const known = Object.entries(GROUPS)
  return options.map((option) => {
    const name = String(option).toLowerCase()
    const found = known.find(([group, id]) => id === option || group.toLowerCase() === name)?.[1] ?? OTHER_GROUP_NAMES[name]
    if (found === undefined) throw new OptionError(`tls.${what}: '${option}' is none of ${Object.keys(GROUPS).join(', ')}`)
    return found
  })
}
