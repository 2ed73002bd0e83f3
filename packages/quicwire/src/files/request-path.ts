// From the `:path` of a request to path segments below the root. Purely lexical: whatever could mean another place
// (dot segments, separators and NUL behind percent-encoding, broken encoding) is refused, not repaired. Symbolic links
// are the file handler's business.

/** `segments` are decoded names, `directory` tells a trailing slash. Null when the path is malformed. */
export interface RequestPath {
  readonly segments: readonly string[]
  readonly directory: boolean
}

export function parseRequestPath(path: string): RequestPath | null {
  if (!path.startsWith('/')) return null
  const end = path.search(/[?#]/)
  const raw = (end < 0 ? path : path.slice(0, end)).slice(1).split('/')
  const segments: string[] = []
  for (const [index, part] of raw.entries()) {
    const segment = decodeSegment(part)
    if (segment === null) return null
    // Empty segments: the one after a trailing slash, and doubled slashes, which mean the same directory.
    if (segment === '') continue
    if (segment === '.') {
      if (index === raw.length - 1) return { segments, directory: true }
      continue
    }
    if (segment === '..') return null
    segments.push(segment)
  }
  return { segments, directory: segments.length === 0 || raw.at(-1) === '' }
}

function decodeSegment(part: string): string | null {
  let segment: string
  try {
    segment = decodeURIComponent(part)
  } catch {
    return null
  }
  // A second decoding must not find a separator either: %252e%252e stays a name, `..%5c` is refused.
  for (let index = 0; index < segment.length; index++) {
    const code = segment.charCodeAt(index)
    if (code < 0x20 || code === 0x7f || code === 0x2f || code === 0x5c) return null
  }
  return segment
}

/** The canonical encoded path of decoded segments: starts with exactly one slash. */
export function encodeRequestPath({ segments, directory }: RequestPath): string {
  const joined = segments.map((segment) => encodeURIComponent(segment)).join('/')
  return `/${joined}${directory && segments.length > 0 ? '/' : ''}`
}
