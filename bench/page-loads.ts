// What a browser asks of four sites and what their servers and content delivery networks answer: field lists made up after real ones, the same
// on every run. A page load is one document and what it needs, on one connection.

import type { FieldLine } from '@quicwire/qpack'

export interface Exchange {
  readonly request: readonly FieldLine[]
  readonly response: readonly FieldLine[]
}

export interface PageLoad {
  readonly site: string
  readonly exchanges: readonly Exchange[]
}

type Kind = 'document' | 'style' | 'script' | 'image' | 'font' | 'empty'

interface Site {
  readonly name: string
  /** What a page needs beside the document, per cent. */
  readonly mix: Readonly<Record<Exclude<Kind, 'document'>, number>>
  readonly cookies: number
  readonly cacheControl: Readonly<Record<Kind, string>>
  /** Of every response. */
  readonly always: readonly FieldLine[]
  /** Of the document. */
  readonly policy: string
}

const AGENT = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
const ACCEPT: Readonly<Record<Kind, string>> = {
  document: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
  style: 'text/css,*/*;q=0.1',
  script: '*/*',
  image: 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8',
  font: '*/*',
  empty: 'application/json, text/plain, */*',
}
const TYPE: Readonly<Record<Kind, readonly [type: string, extension: string]>> = {
  document: ['text/html; charset=utf-8', ''],
  style: ['text/css; charset=utf-8', '.css'],
  script: ['text/javascript; charset=utf-8', '.js'],
  image: ['image/webp', '.webp'],
  font: ['font/woff2', '.woff2'],
  empty: ['application/json; charset=utf-8', ''],
}
const PRIORITY: Readonly<Record<Kind, string>> = { document: 'u=0, i', style: 'u=0', script: 'u=1', image: 'u=2, i', font: 'u=0', empty: 'u=1, i' }
const YEAR = 'public, max-age=31536000, immutable'

const SITES: readonly Site[] = [
  {
    name: 'news',
    mix: { style: 6, script: 34, image: 50, font: 4, empty: 6 },
    cookies: 5,
    cacheControl: { document: 'private, max-age=60', style: YEAR, script: YEAR, image: 'public, max-age=604800', font: YEAR, empty: 'no-store' },
    always: [['server', 'edge'], ['strict-transport-security', 'max-age=31536000; includeSubDomains; preload'], ['via', '1.1 varnish'], ['accept-ranges', 'bytes']],
    policy: "default-src https: data: 'unsafe-inline' 'unsafe-eval'; upgrade-insecure-requests; frame-ancestors 'self'",
  },
  {
    name: 'shop',
    mix: { style: 4, script: 20, image: 66, font: 2, empty: 8 },
    cookies: 9,
    cacheControl: { document: 'no-cache, no-store, must-revalidate', style: YEAR, script: YEAR, image: YEAR, font: YEAR, empty: 'private, no-cache' },
    always: [['server', 'Server'], ['alt-svc', 'h3=":443"; ma=86400'], ['timing-allow-origin', '*'], ['x-content-type-options', 'nosniff']],
    policy: "upgrade-insecure-requests; report-uri https://metrics.example/csp",
  },
  {
    name: 'social',
    mix: { style: 3, script: 25, image: 40, font: 2, empty: 30 },
    cookies: 7,
    cacheControl: { document: 'private, no-cache, no-store, must-revalidate', style: YEAR, script: YEAR, image: 'max-age=1209600, no-transform', font: YEAR, empty: 'private, no-cache, no-store' },
    always: [['cross-origin-resource-policy', 'same-origin'], ['x-frame-options', 'DENY'], ['strict-transport-security', 'max-age=15552000; preload'], ['x-xss-protection', '0']],
    policy: "default-src data: blob: 'self' https://*.social.example; script-src *.social.example 'self' blob: 'nonce-r4nd0m'; connect-src *.social.example wss://*.social.example",
  },
  {
    name: 'application',
    mix: { style: 2, script: 16, image: 12, font: 2, empty: 68 },
    cookies: 3,
    cacheControl: { document: 'no-cache', style: YEAR, script: YEAR, image: YEAR, font: YEAR, empty: 'no-store, max-age=0' },
    always: [['server', 'nginx'], ['x-frame-options', 'SAMEORIGIN'], ['referrer-policy', 'strict-origin-when-cross-origin'], ['x-content-type-options', 'nosniff']],
    policy: "default-src 'none'; base-uri 'self'; connect-src 'self'; font-src assets.application.example; img-src 'self' data:; script-src assets.application.example",
  },
]

/** mulberry32. */
class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed
  }

  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  text(length: number, alphabet: string = '0123456789abcdef'): string {
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join('')
  }
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function two(n: number): string {
  return String(n).padStart(2, '0')
}

function kindOf(site: Site, percent: number): Kind {
  let rest = percent
  for (const [kind, share] of Object.entries(site.mix) as [Kind, number][]) {
    if (rest < share) return kind
    rest -= share
  }
  return 'empty'
}

function pageLoad(site: Site, seed: number, count: number): PageLoad {
  const random = new Random(seed)
  const host = `www.${site.name}.example`
  const page = `/${random.text(7, 'abcdefghijklmnopqrstuvwxyz')}/${random.text(24, 'abcdefghijklmnopqrstuvwxyz-')}`
  const cookie = Array.from({ length: site.cookies }, (_, i) => `${['sid', '_ga', 'uid', 'csrf', 'consent', 'ab', 'lang', 'tz', 'vid'][i]!}=${random.text(8 + random.below(40), BASE64)}`).join('; ')
  const exchanges = Array.from({ length: count }, (_, i): Exchange => {
    const kind = i === 0 ? 'document' : kindOf(site, random.below(100))
    const [type, extension] = TYPE[kind]
    const path =
      kind === 'document' ? page
      : kind === 'empty' ? `/api/v2/${['feed', 'events', 'items', 'me', 'search', 'log'][random.below(6)]!}?cursor=${random.text(16, BASE64)}&limit=${[10, 20, 50][random.below(3)]!}`
      : `/assets/${kind}/${random.text(3, 'abcdefghijklmnopqrstuvwxyz')}.${random.text(kind === 'image' ? 32 : 10)}${extension}`
    const post = kind === 'empty' && random.below(4) === 0
    const request: FieldLine[] = [
      [':method', post ? 'POST' : 'GET'],
      [':authority', host],
      [':scheme', 'https'],
      [':path', path],
      ['sec-ch-ua', '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"'],
      ['sec-ch-ua-mobile', '?0'],
      ['sec-ch-ua-platform', '"Windows"'],
    ]
    if (kind === 'document') request.push(['upgrade-insecure-requests', '1'])
    if (post) request.push(['content-length', String(40 + random.below(900))], ['content-type', 'application/json'], ['origin', `https://${host}`])
    request.push(['user-agent', AGENT], ['accept', ACCEPT[kind]], ['sec-fetch-site', kind === 'document' ? 'none' : 'same-origin'])
    request.push(['sec-fetch-mode', kind === 'document' ? 'navigate' : kind === 'empty' || kind === 'font' ? 'cors' : 'no-cors'], ['sec-fetch-dest', kind])
    if (kind !== 'document') request.push(['referer', `https://${host}${page}`])
    request.push(['accept-encoding', 'gzip, deflate, br, zstd'], ['accept-language', 'en-GB,en-US;q=0.9,en;q=0.8'], ['cookie', cookie], ['priority', PRIORITY[kind]])

    const status = post && random.below(3) === 0 ? '204' : random.below(40) === 0 ? '304' : '200'
    const second = Math.floor(i / 25)
    const response: FieldLine[] = [
      [':status', status],
      ['date', `Mon, 23 Nov 2026 10:41:${two(7 + second)} GMT`],
      ['content-type', type],
      ['cache-control', site.cacheControl[kind]],
      ...site.always,
    ]
    if (kind !== 'document' && kind !== 'empty') {
      const day = 1 + random.below(20)
      response.push(['content-length', String(300 + random.below(180_000))], ['etag', `"${random.text(32)}"`], ['last-modified', `${['Sun', 'Mon', 'Tue'][day % 3]!}, ${two(day)} Nov 2026 ${two(random.below(24))}:${two(random.below(60))}:${two(random.below(60))} GMT`])
      response.push(['age', String(random.below(400_000))], ['x-cache', random.below(8) === 0 ? 'MISS' : 'HIT'], ['x-served-by', `cache-fra-eddf${8230100 + random.below(6)}-FRA`], ['vary', 'Accept-Encoding'])
    } else response.push(['content-encoding', 'br'], ['vary', 'Accept-Encoding, Cookie'], ['x-request-id', `${random.text(8)}-${random.text(4)}-4${random.text(3)}-a${random.text(3)}-${random.text(12)}`])
    if (kind === 'document') response.push(['content-security-policy', site.policy], ['set-cookie', `sid=${random.text(48, BASE64)}; Path=/; Secure; HttpOnly; SameSite=Lax`])
    if (kind === 'font') response.push(['access-control-allow-origin', '*'])
    return { request, response }
  })
  return { site: site.name, exchanges }
}

/** One page of each site, so many exchanges each. */
export function pageLoads(count: number, seed: number = 1): readonly PageLoad[] {
  return SITES.map((site, i) => pageLoad(site, seed * 100 + i, count))
}
