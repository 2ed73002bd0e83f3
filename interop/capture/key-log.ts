// TLS secrets as endpoints write them down: NSS key log format, `LABEL CLIENT_RANDOM SECRET` in hexadecimal.

import { readFileSync } from 'node:fs'
import { fromHex } from '../../packages/quic/src/base/bytes.ts'

export type SecretLabel =
  | 'CLIENT_EARLY_TRAFFIC_SECRET'
  | 'CLIENT_HANDSHAKE_TRAFFIC_SECRET'
  | 'SERVER_HANDSHAKE_TRAFFIC_SECRET'
  | 'CLIENT_TRAFFIC_SECRET_0'
  | 'SERVER_TRAFFIC_SECRET_0'

const LINE = /^([A-Z0-9_]+) ([0-9a-f]{64}) ([0-9a-f]{64,128})$/i

export class KeyLog {
  private readonly secrets: ReadonlyMap<string, Uint8Array>

  constructor(text: string) {
    const secrets = new Map<string, Uint8Array>()
    for (const line of text.split('\n')) {
      const match = LINE.exec(line.trim())
      if (match !== null) secrets.set(`${match[1]!} ${match[2]!.toLowerCase()}`, fromHex(match[3]!.toLowerCase()))
    }
    this.secrets = secrets
  }

  get isEmpty(): boolean {
    return this.secrets.size === 0
  }

  /** `clientRandom`: hexadecimal, lowercase. */
  secret(label: SecretLabel, clientRandom: string): Uint8Array | null {
    return this.secrets.get(`${label} ${clientRandom}`) ?? null
  }
}

/** The runner's choice among key logs: the first that has the secrets of a handshake; null when none has. */
export function chooseKeyLog(files: readonly string[]): string | null {
  return files.find((file) => /^SERVER_HANDSHAKE_TRAFFIC_SECRET /m.test(readText(file))) ?? null
}

export function readKeyLog(file: string | null): KeyLog {
  return new KeyLog(file === null ? '' : readText(file))
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
