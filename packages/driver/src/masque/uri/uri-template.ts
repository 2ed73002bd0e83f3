// URI Templates as far as proxying needs them (RFC 6570 up to level 3, as RFC 9298 §2 and RFC 9484 §3 restrict it): simple expansion
// and the two query forms, in path and query only. Expanded by clients, matched by proxies.

import { MasqueError } from '../errors.ts'

/** RFC 9298 §2. */
export const DEFAULT_UDP_PATH = '/.well-known/masque/udp/{target_host}/{target_port}/'
/** RFC 9484 §3. */
export const DEFAULT_IP_PATH = '/.well-known/masque/ip/{target}/{ipproto}/'

/** Longer paths match nothing. */
export const MAX_MATCHED_PATH = 4096

type Operator = '' | '?' | '&'
interface Expression {
  readonly operator: Operator
  readonly names: readonly string[]
}
type Part = string | Expression

const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#{}@]+)(\/.*)$/
const NAME = /^(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*$/
// RFC 6570 §2.1 without what lies outside of ASCII; "#" would begin a fragment.
const LITERALS = /^(?:[!$&()*+,\-./0-9:;=?@A-Z[\]_a-z~]|%[0-9A-Fa-f]{2})*$/
const UNRESERVED = /[A-Za-z0-9\-._~]/

export class UriTemplate {
  readonly text: string
  /** `https`, or '' for a template of a path alone. */
  readonly scheme: string
  /** Host and port as written, or '' for a template of a path alone. */
  readonly authority: string
  /** Every variable, in order. */
  readonly variables: readonly string[]
  private readonly parts: readonly Part[]
  private readonly pattern: RegExp

  private constructor(text: string, scheme: string, authority: string, parts: readonly Part[]) {
    this.text = text
    this.scheme = scheme
    this.authority = authority
    this.parts = parts
    this.variables = parts.flatMap((part) => (typeof part === 'string' ? [] : part.names))
    this.pattern = patternOf(parts)
  }

  /** An absolute template, as clients are configured with. Throws MasqueError; `required` variables have to be there. */
  static absolute(text: string, required: readonly string[] = []): UriTemplate {
    const match = ABSOLUTE.exec(text)
    if (match === null) throw invalid(text, 'it has to be absolute, with authority and a path that starts with "/", and variables in path and query only')
    const scheme = match[1]!.toLowerCase()
    if (scheme !== 'https') throw invalid(text, `the scheme is ${scheme}, not https`)
    return new UriTemplate(text, scheme, match[2]!, parse(text, match[3]!, required))
  }

  /** The path and query of a template, as proxies match them. Throws MasqueError. */
  static ofPath(text: string, required: readonly string[] = []): UriTemplate {
    if (!text.startsWith('/')) throw invalid(text, 'it has to start with "/"')
    return new UriTemplate(text, '', '', parse(text, text, required))
  }

  /** Path and query with the values in. Variables without a value expand to nothing (RFC 6570 §3.2.1). */
  expand(values: Readonly<Record<string, string>>): string {
    return this.parts.map((part) => (typeof part === 'string' ? part : expandOne(part, values))).join('')
  }

  /** The decoded values of a `:path`, or null when it is not of this template. Variables left out of the query are absent. */
  match(path: string): Map<string, string> | null {
    if (path.length > MAX_MATCHED_PATH) return null
    const found = this.pattern.exec(path)
    if (found === null) return null
    const values = new Map<string, string>()
    let group = 1
    for (const part of this.parts) {
      if (typeof part === 'string') continue
      if (part.operator === '') {
        for (const name of part.names) if (!put(values, name, found[group++]!)) return null
      } else if (!putQuery(values, part, found[group++] ?? '')) return null
    }
    return values
  }
}

function parse(text: string, rest: string, required: readonly string[]): readonly Part[] {
  const parts: Part[] = []
  const seen = new Set<string>()
  let at = 0
  while (at < rest.length) {
    const open = rest.indexOf('{', at)
    const literal = rest.slice(at, open < 0 ? rest.length : open)
    if (!LITERALS.test(literal)) throw invalid(text, `"${literal}" has characters that cannot stand there`)
    if (literal !== '') parts.push(literal)
    if (open < 0) break
    if (literal === '' && parts.length > 0) throw invalid(text, 'two expressions without anything between them cannot be told apart')
    const close = rest.indexOf('}', open)
    if (close < 0) throw invalid(text, 'an expression is not closed')
    const expression = parseExpression(text, rest.slice(open + 1, close))
    for (const name of expression.names) {
      if (seen.has(name)) throw invalid(text, `the variable ${name} occurs twice`)
      seen.add(name)
    }
    parts.push(expression)
    at = close + 1
  }
  for (const name of required) if (!seen.has(name)) throw invalid(text, `the variable ${name} is missing`)
  return parts
}

function parseExpression(text: string, inner: string): Expression {
  const first = inner.charAt(0)
  if ('+#./;=,!@|'.includes(first) && first !== '') throw invalid(text, `the operator "${first}" is not allowed (RFC 9298 §2)`)
  const operator: Operator = first === '?' || first === '&' ? first : ''
  const names = inner.slice(operator.length).split(',')
  for (const name of names) {
    if (/[:*]/.test(name)) throw invalid(text, `"${name}" has a level 4 modifier`)
    if (!NAME.test(name)) throw invalid(text, `"${name}" is no variable name`)
  }
  return { operator, names }
}

function expandOne({ operator, names }: Expression, values: Readonly<Record<string, string>>): string {
  const given = names.filter((name) => values[name] !== undefined)
  if (given.length === 0) return ''
  if (operator === '') return given.map((name) => encode(values[name]!)).join(',')
  return operator + given.map((name) => `${name}=${encode(values[name]!)}`).join('&')
}

/** RFC 6570 §3.2.2: everything but unreserved characters is percent-encoded. */
function encode(value: string): string {
  let encoded = ''
  for (const byte of new TextEncoder().encode(value)) {
    const character = String.fromCharCode(byte)
    encoded += UNRESERVED.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}

function patternOf(parts: readonly Part[]): RegExp {
  const sources = parts.map((part) => {
    if (typeof part === 'string') return part.replaceAll(/[$()*+.?[\]\\^{|}]/g, String.raw`\$&`)
    // RFC 9484 §3 writes the wildcard "*" as it is.
    if (part.operator === '') return part.names.map(() => String.raw`([A-Za-z0-9\-._~%*]*)`).join(',')
    return `(?:\\${part.operator}([^#]*))?`
  })
  return new RegExp(`^${sources.join('')}$`)
}

function put(values: Map<string, string>, name: string, encoded: string): boolean {
  try {
    values.set(name, decodeURIComponent(encoded))
    return true
  } catch {
    return false
  }
}

function putQuery(values: Map<string, string>, { names }: Expression, query: string): boolean {
  if (query === '') return true
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    const name = equals < 0 ? pair : pair.slice(0, equals)
    if (!names.includes(name) || values.has(name)) return false
    if (!put(values, name, equals < 0 ? '' : pair.slice(equals + 1))) return false
  }
  return true
}

function invalid(text: string, why: string): MasqueError {
  return new MasqueError('MASQUE_INVALID_TEMPLATE', `${JSON.stringify(text)} is no usable URI Template: ${why}`)
}
