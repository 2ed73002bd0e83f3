import type { Header } from '../events.ts'
import { isFieldName, isFieldValue } from './characters.ts'

/** What the rest of the package needs to know of a message head. One is filled by a check and overwritten by the next. */
export class MessageHead {
  method: string
  scheme: string
  authority: string | null
  path: string
  protocol: string | null
  host: string | null
  /** 0 in a request. */
  status: number
  /** -1 without Content-Length. */
  contentLength: number
  hasContentType: boolean
  /** Lines of `priority` joined; null without one. */
  priority: string | null
  /** Value of `capsule-protocol`, lines joined; null without one. */
  capsuleProtocol: string | null

  constructor() {
    this.method = ''
    this.scheme = ''
    this.authority = null
    this.path = ''
    this.protocol = null
    this.host = null
    this.status = 0
    this.contentLength = -1
    this.hasContentType = false
    this.priority = null
    this.capsuleProtocol = null
  }

  clear(): void {
    this.method = ''
    this.scheme = ''
    this.authority = null
    this.path = ''
    this.protocol = null
    this.host = null
    this.status = 0
    this.contentLength = -1
    this.hasContentType = false
    this.priority = null
    this.capsuleProtocol = null
  }
}

/** Whether the line is a pseudo-header field (RFC 9114 §4.3). */
export function isPseudo(name: string): boolean {
  return name.charCodeAt(0) === 0x3a
}

/** What is wrong with a regular field line (RFC 9114 §4.2), or null. Fills what the head has of it. `head` is null in trailers. */
export function checkField(name: string, value: string, request: boolean, head: MessageHead | null): string | null {
  if (!isFieldName(name)) return `field name ${JSON.stringify(name)} (RFC 9114 §4.2)`
  if (!isFieldValue(value)) return `value of ${name} has a forbidden character (RFC 9110 §5.5)`
  switch (name) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'transfer-encoding':
    case 'upgrade':
      return `connection-specific field ${name} (RFC 9114 §4.2)`
    case 'te':
      // RFC 9114 §4.2: in a request's header section only.
      return request && head !== null && value.toLowerCase() === 'trailers' ? null : `te: ${value} (RFC 9114 §4.2)`
    case 'host':
      if (head !== null) {
        if (head.host !== null) return 'more than one host field (RFC 9110 §7.2)'
        head.host = value
      }
      return null
    case 'content-length':
      return head === null ? null : checkContentLength(value, head)
    case 'content-type':
      if (head !== null) head.hasContentType = true
      return null
    case 'priority':
      if (head !== null) head.priority = joined(head.priority, value)
      return null
    case 'capsule-protocol':
      if (head !== null) head.capsuleProtocol = joined(head.capsuleProtocol, value)
      return null
    default:
      return null
  }
}

// RFC 9110 §5.3.
function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`
}

// RFC 9110 §8.6: 1*DIGIT; the same value said twice may be accepted, different values may not.
function checkContentLength(value: string, head: MessageHead): string | null {
  if (!/^[0-9]{1,15}$/.test(value)) return `content-length: ${value} (RFC 9110 §8.6)`
  const length = Number(value)
  if (head.contentLength !== -1 && head.contentLength !== length) return 'content-length says two different things (RFC 9110 §8.6)'
  head.contentLength = length
  return null
}

/** What is wrong with a trailer section (RFC 9114 §4.1, §4.3), or null. */
export function checkTrailers(fields: readonly Header[], request: boolean): string | null {
  for (const [name, value] of fields) {
    if (isPseudo(name)) return `pseudo-header field ${name} in trailers (RFC 9114 §4.3)`
    const reason = checkField(name, value, request, null)
    if (reason !== null) return reason
  }
  return null
}
