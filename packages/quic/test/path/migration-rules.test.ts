// Who may go where (RFC 9000 §9).

import { describe, expect, it } from 'vitest'
import { MigrationRules } from '../../src/path/migration-rules.ts'

const ORIGIN = { local: 'c:1', remote: 's:1' }
const AWAY = { local: 'c:2', remote: 's:1' }
const PREFERRED = { local: 'c:1', remote: 'p:1' }
const BOTH = { local: 'c:2', remote: 'p:1' }

describe('a client (RFC 9000 §9, §18.2)', () => {
  it('keeps the server address, but for the preferred one', () => {
    const rules = new MigrationRules(ORIGIN, false, true)
    expect(rules.refusal(AWAY, 's:1', false)).toBeNull()
    expect(rules.refusal(PREFERRED, 's:1', false)).toBe('QUIC_MIGRATION_REMOTE')
    rules.preferred = 'p:1'
    expect(rules.refusal(PREFERRED, 's:1', false)).toBeNull()
    expect(rules.refusal({ local: 'c:1', remote: 'x:1' }, 's:1', false)).toBe('QUIC_MIGRATION_REMOTE')
    // RFC 9000 §9.6.1: from there it does not go back.
    expect(rules.refusal(ORIGIN, 'p:1', false)).toBe('QUIC_MIGRATION_REMOTE')
  })

  it('stays linked to nobody: not with empty connection IDs (§9.5)', () => {
    expect(new MigrationRules(ORIGIN, false, true).refusal(AWAY, 's:1', true)).toBe('QUIC_MIGRATION_LINKABLE')
  })

  it('disable_active_migration holds for the address of the handshake, until the preferred one was acted on', () => {
    const rules = new MigrationRules(ORIGIN, false, true)
    rules.isDisabledByPeer = true
    rules.preferred = 'p:1'
    expect(rules.refusal(AWAY, 's:1', false)).toBe('QUIC_MIGRATION_DISABLED')
    expect(rules.refusal(PREFERRED, 's:1', false)).toBeNull()
    expect(rules.refusal(BOTH, 's:1', false)).toBeNull()
    rules.onPreferredTried(true)
    expect(rules.isForbidden(AWAY)).toBe(false)
  })

  it('a preferred address that failed is not tried again, and frees nothing', () => {
    const rules = new MigrationRules(ORIGIN, false, true)
    rules.isDisabledByPeer = true
    rules.onPreferredTried(false)
    expect([rules.followsPreferred, rules.isForbidden(AWAY)]).toEqual([false, true])
  })
})

describe('a server', () => {
  const HOME = { local: 's:1', remote: 'c:1' }
  const MOVED = { local: 's:1', remote: 'c:2' }
  const THERE = { local: 'p:1', remote: 'c:1' }

  it('that disabled migration admits what may be a NAT rebinding, and its preferred address (§9)', () => {
    const open = new MigrationRules(HOME, false, false)
    expect([open.admits(MOVED, true), open.admits(MOVED, false), open.admits(THERE, false)]).toEqual([true, true, true])
    const closed = new MigrationRules(HOME, true, false)
    expect([closed.admits(MOVED, true), closed.admits(MOVED, false), closed.admits(THERE, false)]).toEqual([true, false, true])
  })

  it('forsakes its old address for newer packets once it has moved (§9.6.2), and takes it back when it falls back', () => {
    const rules = new MigrationRules(HOME, false, false)
    expect(rules.isForsaken(HOME, 1e6)).toBe(false)
    rules.onMoved(THERE, 100)
    expect([rules.isForsaken(HOME, 100), rules.isForsaken(HOME, 101), rules.isForsaken(THERE, 101)]).toEqual([false, true, false])
    // A client that moves on does not make newer packets to the old address any better.
    rules.onMoved({ local: 'p:1', remote: 'c:2' }, 200)
    expect(rules.isForsaken(MOVED, 150)).toBe(true)
    rules.onMoved(HOME, 300)
    expect(rules.isForsaken(HOME, 301)).toBe(false)
  })
})
