// What the key schedule takes from the QUIC version (RFC 9001 §5.1, §5.2, §5.8, §6.1; RFC 9369 §3.3), one row per version, and
// the HkdfLabel structure that carries any label through HKDF-Expand (RFC 9846 §7.1).

import { fromHex, utf8 } from '../base/bytes.ts'
import { invariant } from '../base/assert.ts'

export interface QuicLabels {
  readonly key: string
  readonly iv: string
  readonly headerProtection: string
  readonly keyUpdate: string
}

/** The constants of one QUIC version. All of them are public. */
export interface VersionSecrets {
  readonly labels: QuicLabels
  /** 20 bytes. */
  readonly initialSalt: Uint8Array
  /** AEAD_AES_128_GCM. */
  readonly retryKey: Uint8Array
  readonly retryNonce: Uint8Array
}

export const CLIENT_INITIAL_LABEL = 'client in'
export const SERVER_INITIAL_LABEL = 'server in'

const VERSION_SECRETS: ReadonlyMap<number, VersionSecrets> = new Map([
  [
    1,
    {
      labels: { key: 'quic key', iv: 'quic iv', headerProtection: 'quic hp', keyUpdate: 'quic ku' },
      initialSalt: fromHex('38762cf7f55934b34d179ae6a4c80cadccbb7f0a'),
      retryKey: fromHex('be0c690b9f66575a1d766b54e368c84e'),
      retryNonce: fromHex('461599d35d632bf2239825bb'),
    },
  ],
  [
    0x6b3343cf,
    {
      labels: { key: 'quicv2 key', iv: 'quicv2 iv', headerProtection: 'quicv2 hp', keyUpdate: 'quicv2 ku' },
      initialSalt: fromHex('0dede3def700a6db819381be6e269dcbf9bd2ed9'),
      retryKey: fromHex('8fb4b01b56ac48e260fbcbcead7ccc92'),
      retryNonce: fromHex('d86969bc2d7c6d9990efb04a'),
    },
  ],
])

/** The constants of a QUIC version; InvariantError for a version whose cryptography is not known. */
export function versionSecrets(version: number): VersionSecrets {
  const found = VERSION_SECRETS.get(version)
  invariant(found !== undefined, 'no salt, labels and Retry key for this version')
  return found
}

/** The labels of a QUIC version; null for a version whose labels are not known. */
export function quicLabels(version: number): QuicLabels | null {
  return VERSION_SECRETS.get(version)?.labels ?? null
}

/** struct { uint16 length; opaque label<7..255> = "tls13 " + label; opaque context<0..255> } HkdfLabel */
export function hkdfLabel(length: number, label: string, context: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = utf8('tls13 ' + label)
  invariant(name.length <= 255 && context.length <= 255 && length <= 0xffff, 'HkdfLabel field out of range')
  const bytes = new Uint8Array(4 + name.length + context.length)
  bytes[0] = length >>> 8
  bytes[1] = length
  bytes[2] = name.length
  bytes.set(name, 3)
  bytes[3 + name.length] = context.length
  bytes.set(context, 4 + name.length)
  return bytes
}
