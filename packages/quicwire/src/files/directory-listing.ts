// The page for a directory without index.html. Names are data: escaped in text, percent-encoded in links.

export interface ListingEntry {
  readonly name: string
  readonly directory: boolean
  /** Bytes; ignored for directories. */
  readonly size: number
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character]!)
}

/** `segments` is the decoded path of the directory below the root. */
export function directoryListing(segments: readonly string[], entries: readonly ListingEntry[]): string {
  const title = escapeHtml(`/${segments.map((segment) => `${segment}/`).join('')}`)
  const sorted = [...entries].sort((a, b) => Number(b.directory) - Number(a.directory) || (a.name < b.name ? -1 : 1))
  const rows = sorted.map(({ name, directory, size }) => {
    const slash = directory ? '/' : ''
    // './' keeps a name with a colon from being read as a URL scheme.
    return `<tr><td><a href="./${encodeURIComponent(name)}${slash}">${escapeHtml(name)}${slash}</a></td><td>${directory ? '' : size}</td></tr>`
  })
  const up = segments.length > 0 ? ['<tr><td><a href="../">../</a></td><td></td></tr>'] : []
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${title}</title>`,
    '<style>body{font-family:system-ui;margin:2em}td{padding:.1em 2em .1em 0}td+td{text-align:right}</style></head>',
    `<body><h1>${title}</h1><table>`,
    ...up,
    ...rows,
    '</table></body></html>',
    '',
  ].join('\n')
}
