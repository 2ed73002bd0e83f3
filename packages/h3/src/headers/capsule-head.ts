import type { MessageHead } from './message-head.ts'
import { parseItem } from './structured-fields.ts'

/** What the Capsule Protocol forbids in the heads of messages that use it (RFC 9297 §3.2, §3.4). Each answers what is wrong, or null. */

/** An extended CONNECT request. */
export function checkCapsuleRequest(head: MessageHead): string | null {
  return usesCapsules(head) ? checkContentFields(head) : null
}

/** The final response to an extended CONNECT request. */
export function checkCapsuleResponse(head: MessageHead): string | null {
  // RFC 9297 §3.2: the Capsule Protocol is not in use unless the response is a 2xx.
  if (head.status < 200 || head.status > 299 || !usesCapsules(head)) return null
  if (head.status >= 204 && head.status <= 206) return `:status ${head.status} with the Capsule Protocol (RFC 9297 §3.2)`
  return checkContentFields(head)
}

function checkContentFields(head: MessageHead): string | null {
  if (head.contentLength !== -1) return 'content-length with the Capsule Protocol (RFC 9297 §3.2)'
  return head.hasContentType ? 'content-type with the Capsule Protocol (RFC 9297 §3.2)' : null
}

function usesCapsules(head: MessageHead): boolean {
  return head.capsuleProtocol !== null && isTrueItem(head.capsuleProtocol)
}

/** Whether a field value is the Boolean item `?1`; any other type counts as if the field were not there (RFC 9297 §3.4). */
export function isTrueItem(value: string): boolean {
  const item = parseItem(value)
  return item !== null && item.kind === 'boolean' && item.value
}
