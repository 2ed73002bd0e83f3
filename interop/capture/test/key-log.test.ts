import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { KeyLog, chooseKeyLog, readKeyLog } from '../key-log.ts'

const RANDOM = 'ab'.repeat(32)
const LINE = `SERVER_HANDSHAKE_TRAFFIC_SECRET ${RANDOM} ${'01'.repeat(32)}`

describe('a key log', () => {
  it('gives secrets by label and client random, in any case of letters and line ends', () => {
    const log = new KeyLog(`# comment\r\n${LINE.replace(RANDOM, RANDOM.toUpperCase())}\r\n\nCLIENT_TRAFFIC_SECRET_0 ${RANDOM} ${'02'.repeat(48)}\nnonsense\n`)
    expect(log.secret('SERVER_HANDSHAKE_TRAFFIC_SECRET', RANDOM)).toEqual(new Uint8Array(32).fill(1))
    expect(log.secret('CLIENT_TRAFFIC_SECRET_0', RANDOM)).toEqual(new Uint8Array(48).fill(2))
    expect(log.secret('SERVER_TRAFFIC_SECRET_0', RANDOM)).toBeNull()
    expect(log.isEmpty).toBe(false)
    expect(new KeyLog('').isEmpty).toBe(true)
  })

  it('is the first of several that has a handshake', () => {
    const directory = mkdtempSync(join(tmpdir(), 'quicwire-keys-'))
    const file = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    }
    const empty = file('client', `CLIENT_TRAFFIC_SECRET_0 ${RANDOM} ${'02'.repeat(32)}\n`)
    const server = file('server', `EXPORTER_SECRET ${RANDOM} 00\n${LINE}\n`)
    expect(chooseKeyLog([empty, server])).toBe(server)
    expect(chooseKeyLog([empty, join(directory, 'none')])).toBeNull()
    expect(readKeyLog(server).secret('SERVER_HANDSHAKE_TRAFFIC_SECRET', RANDOM)).not.toBeNull()
    expect(readKeyLog(null).isEmpty).toBe(true)
    rmSync(directory, { recursive: true })
  })
})
