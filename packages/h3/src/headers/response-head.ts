import type { Header } from '../events.ts'
import { checkField, isPseudo } from './message-head.ts'
import type { MessageHead } from './message-head.ts'

/** What is wrong with a response's header section (RFC 9114 §4.3.2, §4.5), or null. Fills `head`. */
export function checkResponse(fields: readonly Header[], head: MessageHead): string | null {
  head.clear()
  let regular = false
  for (const [name, value] of fields) {
    if (!isPseudo(name)) {
      regular = true
      const reason = checkField(name, value, false, head)
      if (reason !== null) return reason
      continue
    }
    if (regular) return `${name} after a regular field (RFC 9114 §4.3)`
    if (name !== ':status') return `pseudo-header field ${name} in a response (RFC 9114 §4.3)`
    if (head.status !== 0) return ':status occurs twice (RFC 9114 §4.3.2)'
    if (!/^[1-9][0-9]{2}$/.test(value)) return `:status ${JSON.stringify(value)} (RFC 9110 §15)`
    head.status = Number(value)
  }
  if (head.status === 0) return 'no :status (RFC 9114 §4.3.2)'
  if (head.status === 101) return ':status 101 (RFC 9114 §4.5)'
  return null
}

/** RFC 9110 §6.4.1: responses that never have content, whatever their Content-Length. */
export function neverHasContent(requestMethod: string, status: number): boolean {
  return requestMethod === 'HEAD' || status === 204 || status === 304
}
