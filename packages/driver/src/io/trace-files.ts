// qlog files: one `<original destination connection id>_<role>.sqlog` per connection in the folder of QLOGDIR, compressed or not (then
// with the suffix .gz or .zst). And the key log.

import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import type { TraceSink } from '@quicwire/quic'
import { H3_EVENT_SCHEMA } from '@quicwire/h3'
import { QlogTrace } from '@quicwire/quic/qlog'
import { OptionError } from '../errors.ts'
import { LogFile } from './log-file.ts'

/** Characters gathered per connection before they go to the file. */
const BUFFERED = 16_384
const FLUSH_INTERVAL = 250

export type QlogCompression = 'none' | 'gzip' | 'zstd'

interface Compression {
  readonly suffix: string
  /** Each piece of text becomes a member (RFC 1952 §2.2) or frame (RFC 8878 §3) of its own; tools read them as one. */
  readonly encode: ((text: string) => Uint8Array) | undefined
}

function compressionOf(kind: QlogCompression): Compression {
  switch (kind) {
    case 'none':
      return { suffix: '', encode: undefined }
    case 'gzip':
      return { suffix: '.gz', encode: (text) => zlib.gzipSync(text) }
    case 'zstd': {
      // Since Node 22.15.
      const { zstdCompressSync } = zlib as { zstdCompressSync?: (data: string) => Uint8Array }
      if (zstdCompressSync === undefined) throw new OptionError('qlogCompression "zstd" needs a Node whose zlib has Zstandard (22.15, 23.8)')
      return { suffix: '.zst', encode: zstdCompressSync }
    }
    default:
      throw new OptionError(`qlogCompression is "none", "gzip" or "zstd", not "${String(kind)}"`)
  }
}

interface Tracing {
  readonly trace: QlogTrace
  readonly file: LogFile
}

function traceName(originalDestinationConnectionId: Uint8Array, role: 'client' | 'server'): string {
  return `${Buffer.from(originalDestinationConnectionId).toString('hex')}_${role}`
}

export class TraceFiles {
  private readonly folder: string
  private readonly compression: Compression
  private readonly running: Map<string, Tracing>
  private timer: NodeJS.Timeout | null

  /** Makes the folder. Throws OptionError when it cannot. */
  constructor(folder: string, compression: QlogCompression = 'none') {
    this.compression = compressionOf(compression)
    try {
      mkdirSync(folder, { recursive: true })
    } catch (error) {
      throw new OptionError(`qlog folder ${folder}: ${(error as Error).message}`, error)
    }
    this.folder = folder
    this.running = new Map()
    this.timer = null
  }

  create(originalDestinationConnectionId: Uint8Array, role: 'client' | 'server'): TraceSink | null {
    const name = traceName(originalDestinationConnectionId, role)
    let file: LogFile
    try {
      file = new LogFile(join(this.folder, `${name}.sqlog${this.compression.suffix}`), this.compression.encode)
    } catch {
      // A folder that has gone away must not break connections.
      return null
    }
    const trace = new QlogTrace((text) => file.append(text), {
      vantagePoint: role,
      groupId: name.slice(0, name.indexOf('_')),
      title: 'quicwire',
      referenceTimeMs: Date.now(),
      bufferLength: BUFFERED,
      eventSchemas: [H3_EVENT_SCHEMA],
    })
    this.running.set(name, { trace, file })
    this.timer ??= setInterval(() => this.flush(), FLUSH_INTERVAL).unref()
    return trace
  }

  finish(originalDestinationConnectionId: Uint8Array, role: 'client' | 'server'): void {
    const name = traceName(originalDestinationConnectionId, role)
    const tracing = this.running.get(name)
    if (tracing === undefined) return
    this.running.delete(name)
    tracing.trace.flush()
    tracing.file.end()
    if (this.running.size > 0 || this.timer === null) return
    clearInterval(this.timer)
    this.timer = null
  }

  private flush(): void {
    for (const { trace } of this.running.values()) trace.flush()
  }
}

/** Folders are shared by all sockets of the process. */
const byFolder = new Map<string, TraceFiles>()

export function traceFilesIn(folder: string | undefined = process.env['QLOGDIR'], compression: QlogCompression = 'none'): TraceFiles | null {
  if (folder === undefined || folder === '') return null
  const key = `${compression} ${folder}`
  let files = byFolder.get(key)
  if (files === undefined) {
    files = new TraceFiles(folder, compression)
    byFolder.set(key, files)
  }
  return files
}

/** Appends NSS key log lines; each at once, since the tools that read them follow the file. Null when there is no file. */
export function keyLogger(path: string | undefined = process.env['SSLKEYLOGFILE']): ((line: string) => void) | null {
  if (path === undefined || path === '') return null
  return (line) => {
    try {
      appendFileSync(path, `${line}\n`)
    } catch {
      // A key log that cannot be written must not break connections.
    }
  }
}
