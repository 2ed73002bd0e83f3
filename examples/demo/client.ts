// The client half of the demo, a process of its own: fetches everything on the list over one connection, checks length
// and SHA-256 of each file, prints the table. Usage: client.ts LIST URL CA-FILE

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, type Session } from 'quicwire'
import { ProgressBar } from '../../packages/quicwire/src/cli/progress-bar.ts'
import { formatBytes, formatDuration } from '../../packages/quicwire/src/cli/quantity.ts'
import { renderTable } from '../../packages/quicwire/src/cli/table.ts'
import type { FileClass, ListedFile } from './file-tree.ts'

const PARALLEL = 32

async function fetchFile(session: Session, file: ListedFile, onBytes: (count: number) => void): Promise<void> {
  const response = await session.request(file.path)
  if (response.status !== 200) throw new Error(`${file.path}: status ${response.status}`)
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of response.body) {
    hash.update(piece)
    bytes += piece.length
    onBytes(piece.length)
  }
  if (bytes !== file.bytes) throw new Error(`${file.path}: ${bytes} bytes instead of ${file.bytes}`)
  const sha256 = hash.digest('hex')
  if (sha256 !== file.sha256) throw new Error(`${file.path}: SHA-256 ${sha256} instead of ${file.sha256}`)
}

async function fetchClass(session: Session, { name, files }: FileClass): Promise<readonly string[]> {
  const total = files.reduce((sum, file) => sum + file.bytes, 0)
  const bar = new ProgressBar(process.stderr, name.padEnd(14), total)
  const started = performance.now()
  let next = 0
  const worker = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) await fetchFile(session, file, (count) => bar.add(count))
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL, files.length) }, worker))
  const elapsed = performance.now() - started
  bar.finish()
  if (!process.stderr.isTTY) process.stderr.write(`${name}: ${files.length} fetched and checked\n`)
  return [name, String(files.length), formatBytes(total), formatDuration(elapsed), (total / 1000 / elapsed).toFixed(1), (files.length / (elapsed / 1000)).toFixed(0)]
}

async function main(): Promise<void> {
  const [listPath, url, caPath] = process.argv.slice(2)
  if (listPath === undefined || url === undefined || caPath === undefined) throw new Error('usage: client.ts LIST URL CA-FILE')
  const classes = JSON.parse(readFileSync(listPath, 'utf8')) as FileClass[]
  const session = await connect(url, { ca: readFileSync(caPath, 'utf8') })
  const rows: (readonly string[])[] = []
  for (const fileClass of classes) rows.push(await fetchClass(session, fileClass))
  const stats = session.stats()
  const { info } = session
  await session.close()
  const columns = [
    { title: 'files of class' },
    { title: 'files', align: 'right' },
    { title: 'bytes', align: 'right' },
    { title: 'time', align: 'right' },
    { title: 'MB/s', align: 'right' },
    { title: 'files/s', align: 'right' },
  ] as const
  process.stdout.write(
    [
      '',
      renderTable(columns, rows),
      '',
      `handshake    ${formatDuration(info.handshakeMs)}, verified against the development certificate`,
      `cipher       ${info.cipher}`,
      `key exchange ${info.keyExchange}`,
      `packets      ${stats.packetsReceived} received, ${stats.packetsSent} sent, ${stats.packetsLost} lost`,
      'checked      length and SHA-256 of every file',
      '',
    ].join('\n'),
  )
}

try {
  await main()
  process.exit(0)
} catch (error) {
  process.stderr.write(`\nclient: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
