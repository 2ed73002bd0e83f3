// One run of a case: fresh folders, certificates and files, the link, the server, the client, and what is left of it all judged.

import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SeededRandom } from '@quicwire/quic/testing'
import type { InteropCase, Verdict } from '../cases/case.ts'
import type { Link, LinkOptions } from '../link/link.ts'
import { lastLine, quoted, type Child } from '../process/child.ts'
import { certificateChain, writeCertificates } from './certificates.ts'
import { startEndpoint, terminate, type EndpointStart } from './endpoint-process.ts'
import type { Endpoint, EndpointDirectories, Role } from './endpoint.ts'
import { UNSUPPORTED, verdictFromEnds, type End } from './exit-rule.ts'
import { writeWantedFiles } from './wanted-files.ts'

/** Until a server answers, milliseconds: as the runner's. */
const SERVER_TIMEOUT = 10_000

export interface CaseSettings {
  readonly openLink: (options: LinkOptions) => Promise<Link>
  readonly seed: number
  readonly corruption: LinkOptions['corruption']
  /** Where everything of the run goes; made here. */
  readonly directory: string
}

type Directories = Readonly<Record<Role, EndpointDirectories>>

export async function runCase(subject: InteropCase, endpoints: Readonly<Record<Role, Endpoint>>, settings: CaseSettings): Promise<Verdict> {
  const random = new SeededRandom(settings.seed)
  const directories = makeDirectories(settings.directory)
  writeCertificates(directories.server.certificates, certificateChain(subject.certificateChain, Date.now(), random))
  const files = writeWantedFiles(directories.server.www, subject.files, random)
  const linkDirectory = join(settings.directory, 'link')
  mkdirSync(linkDirectory)
  const { scenario } = subject
  const link = await settings.openLink({ scenario, seed: random.word(), corruption: settings.corruption, directory: linkDirectory })
  let ended: Verdict | Checkable
  try {
    ended = await runOver(link, subject, endpoints, directories, files)
  } finally {
    await link.close()
  }
  if (ended.kind !== 'check') return ended
  const { leftCapture, rightCapture } = link
  const verdict = await subject.check({
    leftCapture,
    rightCapture,
    keyLogs: [directories.client, directories.server].map(({ logs }) => join(logs, 'keys.log')).filter((file) => existsSync(file) && statSync(file).size > 0),
    www: directories.server.www,
    downloads: directories.client.downloads,
    files,
  })
  return verdict.kind === 'failed' ? { ...verdict, reason: ended.remark + verdict.reason } : verdict
}

/** The files and the captures decide. */
interface Checkable {
  readonly kind: 'check'
  /** On a client that has not ended well, '' for one that has. */
  readonly remark: string
}

function makeDirectories(root: string): Directories {
  const shared = { www: join(root, 'www'), downloads: join(root, 'downloads'), certificates: join(root, 'certs') }
  const of = (role: Role): EndpointDirectories => ({ ...shared, logs: join(root, role) })
  const directories = { client: of('client'), server: of('server') }
  for (const folder of [...Object.values(shared), ...Object.values(directories).map(({ logs }) => join(logs, 'qlog'))]) mkdirSync(folder, { recursive: true })
  return directories
}

async function runOver(
  link: Link,
  subject: InteropCase,
  endpoints: Readonly<Record<Role, Endpoint>>,
  directories: Directories,
  files: readonly string[],
): Promise<Verdict | Checkable> {
  const obstacle = whyNotOver(link, subject)
  if (obstacle !== null) return { kind: 'not-verified', reason: obstacle }
  const start = (role: Role, requests: readonly string[]): Promise<Child> => {
    const placed: EndpointStart = {
      endpoint: endpoints[role],
      role,
      testcase: subject.testcase[role],
      requests,
      directories: directories[role],
      environment: link.environment(role),
      place: (command) => link.place(role, command),
    }
    return startEndpoint(placed)
  }
  const children = [await start('server', [])]
  const server = children[0]!
  try {
    const ready = await Promise.race([link.awaitServer(SERVER_TIMEOUT), server.exit.then(() => false)])
    if (server.exited) return withoutServer(server)
    if (!ready) return { kind: 'failed', reason: `the server did not answer within ${SERVER_TIMEOUT / 1000} s${quoted(lastLine(server.output()))}` }
    const authority = link.authority(subject.host)
    link.start()
    if (subject.crossTraffic) await link.startCrossTraffic?.()
    const client = await start('client', files.map((file) => `https://${authority}/${file}`))
    children.unshift(client)
    await Promise.race([client.exitWithin(subject.timeoutMs), server.exit])
    if (server.exited && !client.exited) return withoutServer(server)
    // Whatever a signal makes of it: who has not ended by now was not done.
    const clientEnd = client.exited ? await endOf(client) : null
    await Promise.all(children.map(terminate))
    const verdict = verdictFromEnds({ client: clientEnd, server: await endOf(server) }, subject.timeoutMs)
    const said = quoted(lastLine(client.output()))
    if (verdict === 'check') return { kind: 'check', remark: clientEnd === 0 ? '' : `the client ended with ${clientEnd}${said}; ` }
    return verdict.kind === 'failed' ? { ...verdict, reason: verdict.reason + said } : verdict
  } finally {
    await Promise.all(children.map(terminate))
  }
}

/** What the link lacks for this case; null: nothing. */
function whyNotOver(link: Link, subject: InteropCase): string | null {
  if (link.backend === 'relay' && subject.name === 'ecn') return 'the relay carries no ECN marks: it needs the back end tun'
  if (!subject.crossTraffic || link.startCrossTraffic !== undefined) return null
  return link.backend === 'tun' ? 'cross traffic needs iperf (version 2), which is not installed' : 'cross traffic needs the back end tun'
}

async function endOf(child: Child): Promise<End> {
  const { code, signal } = await child.exit
  return code ?? signal
}

/** It ended before its client. */
async function withoutServer(server: Child): Promise<Verdict> {
  const end = await endOf(server)
  if (end === UNSUPPORTED) return { kind: 'unsupported', by: 'server' }
  return { kind: 'failed', reason: `the server ended with ${end} before the client${quoted(lastLine(server.output()))}` }
}
