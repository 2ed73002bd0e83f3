import type { Header } from '../events.ts'

/**
 * Puts the crumbs of `cookie` together (RFC 9114 §4.2.1): to be done before the fields go to anything that is neither HTTP/2 nor HTTP/3,
 * such as an application. The joined line stands where the first crumb stood. Without crumbs the list is returned as it is.
 */
export function joinCookies(headers: readonly Header[]): readonly Header[] {
  let first = -1
  let joined = ''
  let crumbs = 0
  for (let i = 0; i < headers.length; i++) {
    const [name, value] = headers[i]!
    if (name !== 'cookie') continue
    crumbs++
    if (first === -1) {
      first = i
      joined = value
    } else joined += `; ${value}`
  }
  if (crumbs < 2) return headers
  const result: Header[] = []
  for (let i = 0; i < headers.length; i++) {
    if (i === first) result.push(['cookie', joined])
    else if (headers[i]![0] !== 'cookie') result.push(headers[i]!)
  }
  return result
}
