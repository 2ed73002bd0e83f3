/** Which characters field names and values may have (RFC 9110 §5.1, §5.5, §5.6.2; RFC 9114 §4.2). */

// tchar without upper case: RFC 9114 §4.2 makes upper case malformed.
const LOWER_CASE_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// RFC 9110 §5.5: VCHAR, obs-text, SP and HTAB. CR, LF and NUL are what smuggling is made of.
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/
// RFC 9114 §4.3.1: what could not stand in an HTTP/1.1 request line or a URI's authority. Octets above 0x7e are let through, as peers
// send them.
const NOT_IN_PATH = /[^\x21-\x7e\x80-\xff]/
const AUTHORITY = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%[\]]+$/
const HOST_AND_PORT = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=%]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$/
const SCHEME = /^[A-Za-z][A-Za-z0-9+\-.]*$/

export function isFieldName(name: string): boolean {
  return LOWER_CASE_NAME.test(name)
}

export function isFieldValue(value: string): boolean {
  return !NOT_IN_VALUE.test(value)
}

export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

export function isScheme(text: string): boolean {
  return SCHEME.test(text)
}

export function isPath(text: string): boolean {
  return !NOT_IN_PATH.test(text)
}

export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text)
}

/** The authority-form of CONNECT (RFC 9110 §7.1, §9.3.6). */
export function isHostAndPort(text: string): boolean {
  return HOST_AND_PORT.test(text)
}
