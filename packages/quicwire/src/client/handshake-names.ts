// IANA names of what TLS 1.3 negotiates, for people.

const cipherSuites: Readonly<Record<number, string>> = {
  0x1301: 'TLS_AES_128_GCM_SHA256',
  0x1302: 'TLS_AES_256_GCM_SHA384',
  0x1303: 'TLS_CHACHA20_POLY1305_SHA256',
}

const groups: Readonly<Record<number, string>> = {
  0x0017: 'secp256r1',
  0x0018: 'secp384r1',
  0x001d: 'x25519',
  0x11eb: 'SecP256r1MLKEM768',
  0x11ec: 'X25519MLKEM768',
}

export function cipherSuiteName(id: number): string {
  return cipherSuites[id] ?? `cipher suite 0x${id.toString(16)}`
}

export function groupName(id: number): string {
  return groups[id] ?? `group 0x${id.toString(16)}`
}
