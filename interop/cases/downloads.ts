// The client's files against the server's: the same names, and nothing beside them, the same bytes.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RunRecord } from './case.ts'

/** Why they are not the same; null: they are. */
export function compareDownloads({ www, downloads, files }: RunRecord): string | null {
  let found: string[]
  try {
    found = readdirSync(downloads, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name)
  } catch (error) {
    return `the downloads cannot be read: ${(error as Error).message}`
  }
  const missing = files.filter((name) => !found.includes(name))
  if (missing.length > 0) return `${missing.length} of ${files.length} files missing, such as ${shortened(missing[0]!)}`
  const extra = found.filter((name) => !files.includes(name))
  if (extra.length > 0) return `${extra.length} files that nobody asked for, such as ${shortened(extra[0]!)}`
  for (const name of files) {
    const [wanted, got] = [join(www, name), join(downloads, name)]
    const [wantedSize, gotSize] = [statSync(wanted).size, statSync(got).size]
    if (wantedSize !== gotSize) return `${shortened(name)} has ${gotSize} bytes, not ${wantedSize}`
    if (!readFileSync(wanted).equals(readFileSync(got))) return `${shortened(name)} has other bytes than were served`
  }
  return null
}

function shortened(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name
}
