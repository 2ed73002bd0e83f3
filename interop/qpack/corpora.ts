// Field lists made up from what browsers, content delivery networks and programs send, and lists of nothing but noise.

import type { FieldLine } from '@quicwire/qpack'
import { BASE64, HEX, Random } from './random.ts'

function date(random: Random, day: number): string {
  return `Mon, ${10 + day} Nov 2026 ${10 + random.below(14)}:${10 + random.below(50)}:${10 + random.below(50)} GMT`
}

export interface Corpus {
  readonly name: string
  readonly lists: FieldLine[][]
}

/** A page and what it loads, from one site: every request alike but for path and a few fields. */
export function browserRequests(seed: number, count: number): Corpus {
  const random = new Random(seed)
  const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
  const cookie = `session=${random.text(64, BASE64)}; consent=yes; theme=dark; _ga=GA1.2.${random.below(1e9)}.${random.below(1e9)}`
  const kinds = [
    ['document', 'navigate', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8', 'u=0, i', ''],
    ['image', 'no-cors', 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8', 'u=2, i', 'png'],
    ['style', 'no-cors', 'text/css,*/*;q=0.1', 'u=0', 'css'],
    ['script', 'no-cors', '*/*', 'u=1', 'js'],
    ['empty', 'cors', '*/*', 'u=1, i', 'json'],
  ] as const
  const lists: FieldLine[][] = []
  let page = '/'
  for (let i = 0; i < count; i += 1) {
    const kind = i % 40 === 0 ? kinds[0] : kinds[1 + random.below(4)]!
    if (i % 40 === 0) page = `/articles/${2020 + random.below(7)}/${random.text(12, 'abcdefghijklmnopqrstuvwxyz-')}`
    const path = kind === kinds[0] ? page : `/static/${kind[0]}/${random.text(8, HEX)}.${kind[4]}`
    const list: FieldLine[] = [
      [':method', kind[0] === 'empty' && random.below(3) === 0 ? 'POST' : 'GET'],
      [':authority', random.below(4) === 0 ? 'cdn.example.com' : 'www.example.com'],
      [':scheme', 'https'],
      [':path', path],
      ['sec-ch-ua', '"Chromium";v="142", "Not A(Brand";v="24"'],
      ['sec-ch-ua-mobile', '?0'],
      ['sec-ch-ua-platform', '"Linux"'],
      ['user-agent', agent],
      ['accept', kind[2]],
      ['sec-fetch-site', kind === kinds[0] ? 'none' : 'same-origin'],
      ['sec-fetch-mode', kind[1]],
      ['sec-fetch-dest', kind[0]],
      ['referer', `https://www.example.com${page}`],
      ['accept-encoding', 'gzip, deflate, br, zstd'],
      ['accept-language', 'en-US,en;q=0.9,de;q=0.8'],
      ['cookie', cookie],
      ['priority', kind[3]],
    ]
    if (random.below(6) === 0) list.push(['if-none-match', `"${random.text(16, HEX)}"`])
    lists.push(list)
  }
  return { name: 'browser requests', lists }
}

/** Responses of a content delivery network: much that repeats, and a date, a length, an entity tag and an identifier that do not. */
export function cdnResponses(seed: number, count: number): Corpus {
  const random = new Random(seed)
  const types = ['text/html; charset=utf-8', 'image/webp', 'text/css; charset=utf-8', 'application/javascript', 'application/json', 'font/woff2']
  const csp = "default-src 'self'; img-src * data:; script-src 'self' https://cdn.example.com; style-src 'self' 'unsafe-inline'"
  const lists: FieldLine[][] = []
  for (let i = 0; i < count; i += 1) {
    const hit = random.below(5) !== 0
    const status = random.below(12) === 0 ? '304' : random.below(30) === 0 ? '404' : '200'
    const list: FieldLine[] = [
      [':status', status],
      ['date', `Mon, 23 Nov 2026 10:${10 + Math.floor(i / 60) % 50}:${10 + Math.floor(i / 4) % 50} GMT`],
      ['content-type', random.of(types)],
      ['content-length', String(random.below(200_000))],
      ['cache-control', random.of(['public, max-age=31536000', 'max-age=600', 'public, max-age=86400, stale-while-revalidate=60', 'private, no-store'])],
      ['last-modified', date(random, random.below(10))],
      ['etag', `W/"${random.text(20, HEX)}"`],
      ['vary', 'accept-encoding'],
      ['strict-transport-security', 'max-age=63072000; includeSubDomains; preload'],
      ['x-content-type-options', 'nosniff'],
      ['content-security-policy', csp],
      ['server', 'edge/4.2'],
      ['x-cache', hit ? 'HIT' : 'MISS'],
      ['age', String(random.below(5000))],
      ['x-served-by', `cache-fra-${random.below(8)}`],
      ['x-request-id', random.text(32, HEX)],
      ['alt-svc', 'h3=":443"; ma=86400'],
      ['access-control-allow-origin', '*'],
    ]
    if (random.below(3) === 0) list.push(['content-encoding', 'br'])
    if (random.below(20) === 0) list.push(['set-cookie', `session=${random.text(40, BASE64)}; Path=/; Secure; HttpOnly`])
    lists.push(list)
  }
  return { name: 'CDN responses', lists }
}

/** A program that calls an interface: few fields, a token, identifiers for tracing. */
export function programRequests(seed: number, count: number): Corpus {
  const random = new Random(seed)
  const lists: FieldLine[][] = []
  for (let i = 0; i < count; i += 1) {
    const post = random.below(3) === 0
    const list: FieldLine[] = [
      [':method', post ? 'POST' : 'GET'],
      [':scheme', 'https'],
      [':authority', 'api.example.com'],
      [':path', `/v2/${random.of(['users', 'orders', 'items'])}/${random.below(50_000)}`],
      ['accept', 'application/json'],
      ['accept-encoding', 'gzip'],
      ['user-agent', 'example-client/3.1 (node)'],
      ['x-api-version', '2026-11-01'],
      ['traceparent', `00-${random.text(32, HEX)}-${random.text(16, HEX)}-01`],
      ['x-tenant', `tenant-${random.below(20)}`],
    ]
    if (post) list.push(['content-type', 'application/json'], ['content-length', String(random.below(5000))])
    lists.push(list)
  }
  return { name: 'program requests', lists }
}

/** Anything at all: empty and long names and values, octets above 0x7f, repetitions near and far. */
export function noise(seed: number, count: number): Corpus {
  const random = new Random(seed)
  const octets = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')
  const pool: FieldLine[] = []
  const lists: FieldLine[][] = []
  for (let i = 0; i < count; i += 1) {
    const list: FieldLine[] = []
    // At least one field line: ls-qpack refuses an empty section, which RFC 9204 §4.5 allows.
    for (let n = 1 + random.below(13); n > 0; n -= 1) {
      const old = pool.length > 0 ? random.of(pool) : null
      const choice = random.below(10)
      const value = random.text(random.below(choice === 0 ? 400 : 30), choice < 2 ? octets : BASE64)
      const field: FieldLine =
        old !== null && choice < 6 ? old : old !== null && choice < 8 ? [old[0], value] : [random.text(1 + random.below(20), `${HEX}-xyz`), value]
      pool.push(field)
      if (pool.length > 40) pool.splice(random.below(40), 1)
      list.push(field)
    }
    lists.push(list)
  }
  return { name: 'noise', lists }
}
