// Field lists of other sites, programs and shapes than those in corpora.ts. The encoder's constants are chosen without looking at these: they
// say how far that choice holds elsewhere.

import type { FieldLine } from '@quicwire/qpack'
import type { Corpus } from './corpora.ts'
import { BASE64, HEX, Random } from './random.ts'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

function uuid(random: Random): string {
  return [8, 4, 4, 4, 12].map((length) => random.text(length, HEX)).join('-')
}

function clock(second: number): string {
  const two = (value: number): string => String(value % 60).padStart(2, '0')
  return `Thu, 03 Dec 2026 ${two(8 + Math.floor(second / 3600))}:${two(Math.floor(second / 60))}:${two(second)} GMT`
}

/**
 * A single-page application: one interface called with a token that is renewed, a document now and then, a cookie that changes. Ours and nghttp3 never
 * index the token (RFC 9204 §7.1.3), ls-qpack does: `withToken` false leaves it out of the same lists.
 */
export function applicationRequests(seed: number, count: number, withToken: boolean): Corpus {
  const random = new Random(seed)
  const session = uuid(random)
  let token = `Bearer ${random.text(180, BASE64)}`
  let counter = 1
  let view = '/projects'
  const lists: FieldLine[][] = []
  for (let i = 0; i < count; i += 1) {
    if (i % 150 === 149) token = `Bearer ${random.text(180, BASE64)}`
    if (random.below(25) === 0) view = `/projects/${random.below(400)}/board`
    if (random.below(30) === 0) counter += 1
    const query = random.below(3) > 0
    const list: FieldLine[] = [
      [':method', query ? 'POST' : 'GET'],
      [':path', query ? '/graphql' : `/api/v3/projects/${random.below(400)}/tasks?limit=50&after=${random.text(16, BASE64)}`],
      [':authority', 'app.tracker.example'],
      [':scheme', 'https'],
      ['user-agent', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0'],
      ['accept', query ? 'application/graphql-response+json, application/json' : 'application/json'],
      ['accept-language', 'fr,fr-FR;q=0.8,en-US;q=0.5,en;q=0.3'],
      ['accept-encoding', 'gzip, deflate, br, zstd'],
      ['referer', `https://app.tracker.example${view}`],
      ['x-client-version', '2026.48.3'],
      ['x-request-id', uuid(random)],
      ...(withToken ? [['authorization', token] as const] : []),
      ['cookie', `sid=${session}; seen=${counter}; locale=fr`],
      ['sec-fetch-dest', 'empty'],
      ['sec-fetch-mode', 'cors'],
      ['sec-fetch-site', 'same-origin'],
      ['te', 'trailers'],
    ]
    if (query) list.push(['content-type', 'application/json'], ['content-length', String(200 + random.below(3000))], ['origin', 'https://app.tracker.example'], ['x-operation', random.of(['TaskList', 'TaskDetail', 'Board', 'Viewer', 'Comments', 'Activity', 'Search'])])
    lists.push(list)
  }
  return { name: withToken ? 'application requests' : 'the same without the token', lists }
}

/** A shop behind a content delivery network: pages with cookies from an origin, images from a cache, and the reports that both ask for. */
export function shopResponses(seed: number, count: number): Corpus {
  const random = new Random(seed)
  const policy = `default-src 'none'; connect-src 'self' https://collect.shop.example; frame-ancestors 'none'; report-to csp`
  const lists: FieldLine[][] = []
  for (let i = 0; i < count; i += 1) {
    const now = i * 2
    const ray = `${random.text(16, HEX)}-${random.of(['CDG', 'AMS', 'FRA'])}`
    if (random.below(6) === 0) {
      const list: FieldLine[] = [
        [':status', random.below(15) === 0 ? '302' : '200'],
        ['date', clock(now)],
        ['content-type', 'text/html; charset=UTF-8'],
        ['cache-control', 'no-cache, no-store, must-revalidate'],
        ['pragma', 'no-cache'],
        ['expires', '0'],
        ['set-cookie', `basket=${random.text(44, BASE64)}; path=/; secure; samesite=lax`],
        ['content-security-policy', policy],
        ['permissions-policy', 'camera=(), microphone=(), geolocation=(self), payment=(self)'],
        ['referrer-policy', 'strict-origin-when-cross-origin'],
        ['server-timing', `db;dur=${random.below(90)}, app;dur=${random.below(400)}`],
        ['x-frame-options', 'DENY'],
        ['vary', 'accept-encoding, cookie'],
        ['nel', '{"report_to":"nel","max_age":604800,"success_fraction":0}'],
        ['report-to', `{"endpoints":[{"url":"https://reports.shop.example/v4?s=${random.text(60, BASE64)}"}],"group":"nel","max_age":604800}`],
        ['cf-ray', ray],
        ['server', 'cloudfront-like'],
      ]
      lists.push(list)
      continue
    }
    const webp = random.below(3) > 0
    lists.push([
      [':status', '200'],
      ['date', clock(now)],
      ['content-type', webp ? 'image/avif' : random.of(['text/css', 'text/javascript', 'image/svg+xml'])],
      ['content-length', String(300 + random.below(90_000))],
      ['cache-control', 'public, max-age=15552000, immutable'],
      ['expires', clock(now + 3000)],
      ['etag', `"${random.text(8, HEX)}-${random.text(4, HEX)}"`],
      ['last-modified', clock(random.below(3000))],
      ['accept-ranges', 'bytes'],
      ['timing-allow-origin', '*'],
      ['cross-origin-resource-policy', 'cross-origin'],
      ['cf-cache-status', random.below(8) > 0 ? 'HIT' : 'REVALIDATED'],
      ['age', String(random.below(400_000))],
      ['cf-ray', ray],
      ['server', 'cloudfront-like'],
      ['vary', webp ? 'accept' : 'accept-encoding'],
    ])
  }
  return { name: 'shop responses', lists }
}

/** A player: segments in order from a few hosts, ranges, tokens in the query. */
export function mediaRequests(seed: number, count: number): Corpus {
  const random = new Random(seed)
  const title = random.text(10, LETTERS)
  const token = `exp=${random.below(1e9)}~hmac=${random.text(64, HEX)}`
  const lists: FieldLine[][] = []
  for (let i = 0; i < count; i += 1) {
    const audio = i % 3 === 2
    const host = `edge${1 + (Math.floor(i / 40) % 3)}.video.example`
    const start = i * 500_000
    const list: FieldLine[] = [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', host],
      [':path', `/vod/${title}/${audio ? 'audio-128k' : random.of(['1080p', '720p'])}/seg-${Math.floor(i / 3)}.m4s?${token}`],
      ['accept', '*/*'],
      ['origin', 'https://watch.example'],
      ['sec-fetch-site', 'cross-site'],
      ['sec-fetch-mode', 'cors'],
      ['sec-fetch-dest', 'empty'],
      ['referer', 'https://watch.example/'],
      ['user-agent', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1'],
      ['accept-language', 'es-ES,es;q=0.9'],
      ['accept-encoding', 'identity'],
      ['priority', 'u=3, i'],
    ]
    if (!audio) list.push(['range', `bytes=${start}-${start + 499_999}`])
    lists.push(list)
  }
  return { name: 'media requests', lists }
}

/** An interface's answers: rate limits that count down, identifiers, links to pages. */
export function interfaceResponses(seed: number, count: number): Corpus {
  const random = new Random(seed)
  let remaining = 5000
  const lists: FieldLine[][] = []
  for (let i = 0; i < count; i += 1) {
    remaining = remaining <= 1 ? 5000 : remaining - 1
    const failed = random.below(20) === 0
    const list: FieldLine[] = [
      [':status', failed ? random.of(['400', '404', '409', '422', '429']) : random.below(4) === 0 ? '201' : '200'],
      ['server', 'nginx'],
      ['date', clock(Math.floor(i / 3))],
      ['content-type', failed ? 'application/problem+json' : 'application/json; charset=utf-8'],
      ['cache-control', 'private, max-age=0, must-revalidate'],
      ['x-ratelimit-limit', '5000'],
      ['x-ratelimit-remaining', String(remaining)],
      ['x-ratelimit-reset', String(1_796_000_000 + Math.floor(i / 500) * 3600)],
      ['x-request-id', uuid(random)],
      ['x-runtime', `0.0${random.below(99_999)}`],
      ['etag', `W/"${random.text(32, HEX)}"`],
      ['access-control-allow-origin', '*'],
      ['access-control-expose-headers', 'ETag, Link, Location, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset'],
      ['strict-transport-security', 'max-age=31536000; includeSubdomains; preload'],
      ['vary', 'Accept, Authorization, Accept-Encoding'],
    ]
    if (random.below(3) === 0) list.push(['link', `<https://api.code.example/repositories/${random.below(900)}/items?page=${2 + random.below(9)}>; rel="next"`])
    if (random.below(2) === 0) list.push(['content-encoding', 'gzip'], ['content-length', String(random.below(40_000))])
    lists.push(list)
  }
  return { name: 'interface responses', lists }
}

/** What a gateway sends on for many people: agents, languages and cookies of forty of them, the same ones more often than the others. */
export function gatewayRequests(seed: number, count: number): Corpus {
  const random = new Random(seed)
  const people = Array.from({ length: 40 }, (_, i) => ({
    agent: `Mozilla/5.0 (${random.of(['Windows NT 10.0; Win64; x64', 'X11; Ubuntu; Linux x86_64', 'Linux; Android 16; Pixel 9'])}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${130 + random.below(12)}.0.0.0 Safari/537.36`,
    language: random.of(['en-US,en;q=0.9', 'de-DE,de;q=0.9,en;q=0.7', 'pl', 'pt-BR,pt;q=0.9', 'ja,en-US;q=0.9']),
    cookie: `uid=${random.text(28, BASE64)}; exp=${random.of(['a', 'b', 'c'])}`,
    address: `203.0.113.${i}`,
  }))
  const lists: FieldLine[][] = []
  for (let i = 0; i < count; i += 1) {
    const person = people[Math.floor(people.length * random.next() ** 2.5)]!
    lists.push([
      [':method', random.below(8) === 0 ? 'PUT' : 'GET'],
      [':scheme', 'http'],
      [':authority', random.of(['catalog.internal', 'account.internal', 'search.internal'])],
      [':path', random.of(['/', '/search?q=', '/item/', '/me/', '/health?']) + String(random.below(2000))],
      ['user-agent', person.agent],
      ['accept', '*/*'],
      ['accept-language', person.language],
      ['cookie', person.cookie],
      ['x-forwarded-for', person.address],
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-host', 'www.market.example'],
      ['x-b3-traceid', random.text(32, HEX)],
      ['x-b3-spanid', random.text(16, HEX)],
      ['x-b3-sampled', random.below(10) === 0 ? '1' : '0'],
      ['via', '2 gateway-7'],
    ])
  }
  return { name: 'gateway requests', lists }
}
