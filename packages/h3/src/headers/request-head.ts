import type { Header } from '../events.ts'
import { checkCapsuleRequest } from './capsule-head.ts'
import { isAuthority, isFieldValue, isHostAndPort, isPath, isScheme, isToken } from './characters.ts'
import { checkField, isPseudo } from './message-head.ts'
import type { MessageHead } from './message-head.ts'

/** What is wrong with a request's header section (RFC 9114 §4.1.2 – §4.4, RFC 9220 §3), or null. Fills `head`. */
export function checkRequest(fields: readonly Header[], extendedConnect: boolean, head: MessageHead): string | null {
  head.clear()
  let seen = 0
  let regular = false
  for (const [name, value] of fields) {
    if (!isPseudo(name)) {
      regular = true
      const reason = checkField(name, value, true, head)
      if (reason !== null) return reason
      continue
    }
    if (regular) return `${name} after a regular field (RFC 9114 §4.3)`
    const bit = setPseudo(name, value, head)
    if (bit === 0) return `pseudo-header field ${name} in a request (RFC 9114 §4.3)`
    if ((seen & bit) !== 0) return `${name} occurs twice (RFC 9114 §4.3.1)`
    if (!isFieldValue(value)) return `value of ${name} has a forbidden character (RFC 9110 §5.5)`
    seen |= bit
  }
  if (!isToken(head.method)) return 'no valid :method (RFC 9114 §4.3.1)'
  if (head.protocol !== null) {
    if (!extendedConnect) return ':protocol without SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 9220 §3)'
    if (head.method !== 'CONNECT' || !isToken(head.protocol)) return ':protocol outside a CONNECT request (RFC 8441 §4)'
    return checkTarget(seen, head) ?? checkCapsuleRequest(head)
  }
  return head.method === 'CONNECT' ? checkConnect(seen, head) : checkTarget(seen, head)
}

const METHOD = 1
const SCHEME = 2
const AUTHORITY = 4
const PATH = 8
const PROTOCOL = 16

function setPseudo(name: string, value: string, head: MessageHead): number {
  switch (name) {
    case ':method':
      head.method = value
      return METHOD
    case ':scheme':
      head.scheme = value
      return SCHEME
    case ':authority':
      head.authority = value
      return AUTHORITY
    case ':path':
      head.path = value
      return PATH
    case ':protocol':
      head.protocol = value
      return PROTOCOL
    default:
      return 0
  }
}

// RFC 9114 §4.4: :authority and nothing else.
function checkConnect(seen: number, head: MessageHead): string | null {
  if ((seen & (SCHEME | PATH)) !== 0) return 'CONNECT with :scheme or :path (RFC 9114 §4.4)'
  if (head.authority === null || head.authority === '') return 'CONNECT without :authority (RFC 9114 §4.4)'
  if (!isHostAndPort(head.authority)) return `CONNECT to ${JSON.stringify(head.authority)}, not to host and port (RFC 9114 §4.4)`
  if (head.host !== null && head.host !== head.authority) return 'host differs from :authority (RFC 9114 §4.3.1)'
  return null
}

function checkTarget(seen: number, head: MessageHead): string | null {
  if ((seen & SCHEME) === 0 || !isScheme(head.scheme)) return 'no valid :scheme (RFC 9114 §4.3.1)'
  if ((seen & PATH) === 0) return 'no :path (RFC 9114 §4.3.1)'
  if (!isPath(head.path)) return `:path ${JSON.stringify(head.path)} (RFC 9114 §4.3.1)`
  if (head.authority !== null && head.host !== null && head.authority !== head.host) {
    return 'host differs from :authority (RFC 9114 §4.3.1)'
  }
  const scheme = head.scheme.toLowerCase()
  if (scheme !== 'https' && scheme !== 'http') return null
  const authority = head.authority ?? head.host
  if (authority === null || authority === '') return 'neither :authority nor host (RFC 9114 §4.3.1)'
  if (!isAuthority(authority)) return `:authority or host ${JSON.stringify(authority)} (RFC 9114 §4.3.1)`
  if (authority.includes('@')) return 'userinfo in :authority (RFC 9114 §4.3.1)'
  if (head.path.charCodeAt(0) === 0x2f || (head.path === '*' && head.method === 'OPTIONS')) return null
  return `:path ${JSON.stringify(head.path)} (RFC 9114 §4.3.1)`
}
