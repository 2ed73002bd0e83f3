// Sessions in a file: what is put is taken once, by whichever process; what is no session file costs nothing but the sessions.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoredSession } from '@quicwire/quic'
import { FileSessionStore } from '../../src/index.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quicwire-sessions-'))
  path = join(folder, 'sessions.json')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const NOW = 1_800_000_000_000

function session(label: number, changes: Partial<StoredSession> = {}): StoredSession {
  return {
    ticket: Uint8Array.of(label, 255, 0),
    psk: new Uint8Array(32).fill(label),
    cipherSuite: 0x1301,
    alpn: 'h3',
    serverName: 'example.org',
    receivedAt: NOW,
    lifetimeSeconds: 3600,
    ageAdd: 4_294_967_295,
    earlyData: true,
    peerParameters: Uint8Array.of(4, 1, 10),
    earlyDataContext: new Uint8Array(0),
    peerCertificates: [Uint8Array.of(0x30, 0), Uint8Array.of(0x30, 1, 2)],
    verified: true,
    ...changes,
  }
}

const store = (now: number = NOW): FileSessionStore => new FileSessionStore(path, { now: () => now })

describe('FileSessionStore', () => {
  it('gives back what another one put, whole, newest first, and once', () => {
    const first = session(1)
    const second = session(2, { cipherSuite: 0x1302, psk: new Uint8Array(48), serverName: null, verified: false })
    store().put('a:443', first)
    store().put('a:443', second)
    store().put('b:443', session(3))
    expect(store().take('c:443')).toBeNull()
    expect(store().take('a:443')).toEqual(second)
    expect(store().take('a:443')).toEqual(first)
    expect(store().take('a:443')).toBeNull()
    expect(store().take('b:443')).toEqual(session(3))
  })

  it('is for its owner alone, and leaves no drafts', () => {
    store().put('a:443', session(1))
    store().put('a:443', session(2))
    expect(readdirSync(folder)).toEqual(['sessions.json'])
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('keeps the newest sessions of an origin and the origins used last', () => {
    const small = new FileSessionStore(path, { origins: 2, sessionsPerOrigin: 2, now: () => NOW })
    for (const label of [1, 2, 3]) small.put('a:443', session(label))
    small.put('b:443', session(4))
    expect(small.take('a:443')).toEqual(session(3))
    small.put('c:443', session(5))
    expect(small.take('b:443')).toBeNull()
    expect(small.take('a:443')).toEqual(session(2))
    expect(small.take('a:443')).toBeNull()
    expect(small.take('c:443')).toEqual(session(5))
  })

  it('forgets what has expired', () => {
    store().put('a:443', session(1))
    store().put('a:443', session(2, { lifetimeSeconds: 7200 }))
    expect(store(NOW + 3_600_000).take('a:443')).toEqual(session(2, { lifetimeSeconds: 7200 }))
    expect(store(NOW + 3_600_000).take('a:443')).toBeNull()
    store().put('b:443', session(3))
    store(NOW + 3_600_000).put('c:443', session(4, { receivedAt: NOW + 3_600_000 }))
    expect(readFileSync(path, 'utf8')).not.toContain('b:443')
  })

  it('takes what is no session file for an empty one, and replaces it', () => {
    for (const text of ['', 'null', '[]', '{"format":1}', '{"format":2,"origins":[["a:443",[{}]]]}', '{"format":1,"origins":[["a:443"],7]}', '{{']) {
      writeFileSync(path, text)
      expect(store().take('a:443')).toBeNull()
      store().put('a:443', session(1))
      expect(store().take('a:443')).toEqual(session(1))
    }
  })

  it('passes over single sessions that are none', () => {
    store().put('a:443', session(1))
    const text = readFileSync(path, 'utf8')
    const good = (JSON.parse(text) as { origins: [[string, [Record<string, unknown>]]] }).origins[0][1][0]
    const spoiled: Record<string, unknown>[] = [
      ...Object.keys(good).map((member) => ({ ...good, [member]: undefined })),
      { ...good, psk: 'AAAA' },
      { ...good, cipherSuite: 0x1303, psk: Buffer.alloc(48).toString('base64') },
      { ...good, cipherSuite: 5 },
      { ...good, ticket: '' },
      { ...good, receivedAt: '1' },
      { ...good, peerCertificates: [1] },
    ]
    for (const entry of spoiled) {
      writeFileSync(path, JSON.stringify({ format: 1, origins: [['a:443', [good, entry]]] }))
      expect(store().take('a:443')).toEqual(session(1))
      expect(store().take('a:443')).toBeNull()
    }
  })

  it('says when the file cannot be used at all', () => {
    const nowhere = new FileSessionStore(join(folder, 'missing', 'sessions.json'))
    expect(nowhere.take('a:443')).toBeNull()
    expect(() => nowhere.put('a:443', session(1))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    const taken = new FileSessionStore(folder)
    expect(() => taken.take('a:443')).toThrow(expect.objectContaining({ code: 'EISDIR' }))
  })
})
