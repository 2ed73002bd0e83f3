import type { Header } from './message.ts'

/** The tuples of `headers` whose names are listed: they are sent as literals that nobody on the way may put into a table (RFC 9204 §7.1.3). */
export function neverIndexed(headers: readonly Header[], names: readonly string[] | undefined): readonly Header[] {
  if (names === undefined || names.length === 0) return []
  const sensitive = new Set(names.map((name) => name.toLowerCase()))
  return headers.filter(([name]) => sensitive.has(name))
}

/** Names of the fields that came that way, each once. */
export function sensitiveNames(fields: readonly Header[]): readonly string[] {
  return [...new Set(fields.map(([name]) => name))]
}
