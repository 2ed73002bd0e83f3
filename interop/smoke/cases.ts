// The cells of the table: each downloads or loads from one server with one client, in a log folder of its own.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { CaseFiles, PageReport, Peer, RunningServer } from '../peers/peer.ts'
import { sha256OfFile, type TestFiles } from './test-files.ts'

export interface Case {
  readonly server: Peer
  readonly client: Peer
  readonly what: string
  /** Rejects when the cell fails; resolves with the bytes moved. */
  run(server: RunningServer, files: TestFiles, caseFiles: CaseFiles, timeoutMs: number): Promise<number>
}

export interface CaseResult {
  readonly case: Case
  /** Null: ok. */
  readonly failure: string | null
  readonly bytes: number
  /** Of the client, from its start to its end. */
  readonly elapsedMs: number
}

/** Every case that involves `ours` and one of `peers`. */
export function casesWith(ours: Peer, peers: readonly Peer[]): Case[] {
  return peers.flatMap((peer) => [...casesBetween(peer, ours), ...casesBetween(ours, peer)])
}

/** The peers among themselves, each with itself too: tells a fault of a wrapper from one of ours. */
export function casesAmong(peers: readonly Peer[]): Case[] {
  return peers.flatMap((server) => peers.flatMap((client) => casesBetween(server, client)))
}

function casesBetween(server: Peer, client: Peer): Case[] {
  const cases: Case[] = []
  if (server.serve === undefined) return cases
  if (client.download !== undefined) cases.push({ server, client, what: 'download of 10 MB', run: download(client.download) })
  if (client.loadPage !== undefined) cases.push({ server, client, what: 'page with 50 images, fetch of 10 MB', run: loadPage(client.loadPage) })
  return cases
}

export async function runCase(subject: Case, files: TestFiles, logDirectory: string, timeoutMs: number): Promise<CaseResult> {
  await mkdir(logDirectory, { recursive: true })
  const caseFiles: CaseFiles = { certificate: files.certificate, key: files.key, spkiHash: files.spkiHash, logDirectory }
  let server: RunningServer | null = null
  let failure: string | null = null
  let bytes = 0
  let elapsedMs = 0
  try {
    server = (await subject.server.serve?.(files.root, caseFiles)) ?? null
    if (server === null) throw new Error(`${subject.server.name} has no server`)
    const startedAt = performance.now()
    bytes = await subject.run(server, files, caseFiles, timeoutMs)
    elapsedMs = performance.now() - startedAt
  } catch (error) {
    failure = (error as Error).message
  }
  await server?.stop().catch((error: unknown) => {
    failure ??= (error as Error).message
  })
  return { case: subject, failure, bytes, elapsedMs }
}

function download(verb: NonNullable<Peer['download']>): Case['run'] {
  return async (server, files, caseFiles, timeoutMs) => {
    const output = join(caseFiles.logDirectory, 'downloads')
    await mkdir(output, { recursive: true })
    await verb(server.port, [files.download], output, caseFiles, timeoutMs)
    const sha256 = await sha256OfFile(join(output, files.download))
    if (sha256 !== files.downloadSha256) throw new Error(`the file differs: SHA-256 ${sha256}, expected ${files.downloadSha256}`)
    return files.downloadBytes
  }
}

function loadPage(verb: NonNullable<Peer['loadPage']>): Case['run'] {
  return async (server, files, caseFiles, timeoutMs) => {
    const report = await verb(server.port, files.page, files.download, caseFiles, timeoutMs)
    const problem = pageProblem(report, files)
    if (problem !== null) throw new Error(problem)
    return files.downloadBytes + files.images.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

export function pageProblem(report: PageReport, files: TestFiles): string | null {
  if (report.page !== 'h3') return `the browser loaded the page over '${report.page}', not h3`
  if (report.images.length !== files.images.length) return `${report.images.length} images in the page, expected ${files.images.length}`
  for (const [index, expected] of files.images.entries()) {
    const image = report.images[index]!
    if (image.name !== expected.name) return `image ${index} is ${image.name}, expected ${expected.name}`
    if (image.protocol !== 'h3') return `the browser loaded ${image.name} over '${image.protocol}', not h3`
    if (image.width !== expected.width || image.height !== expected.height) return `${image.name} was not decoded`
    if (image.bytes !== expected.bytes) return `${image.name} has ${image.bytes} bytes, expected ${expected.bytes}`
  }
  if (report.fileProtocol !== 'h3') return `the browser fetched ${files.download} over '${report.fileProtocol}', not h3`
  if (report.fileSha256 !== files.downloadSha256) return `the fetched file differs: SHA-256 ${report.fileSha256}`
  return null
}
