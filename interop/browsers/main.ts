// Browsers against our server, in this process. Exit 0 only when every check passed with every browser.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromiumBrowser } from '../peers/chromium/browser.ts'
import { firefoxBrowser } from '../peers/firefox/browser.ts'
import { UsageError, parseRunArguments, usageOf, type RunOptions } from '../process/arguments.ts'
import { before } from '../process/deadline.ts'
import { createTestFiles, type TestFiles } from '../smoke/test-files.ts'
import type { Browser } from './browser.ts'
import { checks, type Check, type Visit } from './checks.ts'
import { createIdentity, type ServerIdentity } from './identity.ts'
import { startSite } from './site.ts'

const browsers: readonly Browser[] = [chromiumBrowser, firefoxBrowser]
const usage = usageOf('interop:browsers', 'Headless browsers load pages, submit forms and stream downloads over HTTP/3 from our server.')

class Run {
  failed: number
  private readonly directory: string
  private readonly timeoutMs: number

  constructor(directory: string, timeoutMs: number) {
    this.failed = 0
    this.directory = directory
    this.timeoutMs = timeoutMs
  }

  /** Every check in one browser, one after the other. */
  async visit(browser: Browser, identity: ServerIdentity, files: TestFiles): Promise<void> {
    const logDirectory = join(this.directory, browser.name)
    await mkdir(logDirectory)
    const errors: Error[] = []
    const site = await startSite(files.root, identity, (error) => void errors.push(error))
    try {
      const tab = await browser.open(site.server.port, { authority: identity.authority, spkiHash: identity.spkiHash, logDirectory })
      try {
        for (const check of checks) await this.line(browser, check, { tab, site, files })
      } finally {
        await tab.close()
      }
    } catch (error) {
      this.fail(`${browser.name}: ${(error as Error).message}; logs: ${logDirectory}`)
    } finally {
      await site.server.close({ immediately: true })
    }
    for (const error of errors) console.log(`    the server said: ${error.message}`)
  }

  async install(browser: Browser): Promise<boolean> {
    try {
      console.log(`${browser.name} ${await browser.install()}`)
      return true
    } catch (error) {
      this.fail(`${browser.name} cannot be had: ${(error as Error).message}`)
      return false
    }
  }

  private async line(browser: Browser, check: Check, visit: Visit): Promise<void> {
    process.stdout.write(`${browser.name}: ${check.name} ... `)
    try {
      const remark = await before(this.timeoutMs, check.run(visit))
      console.log(remark === '' ? 'ok' : `ok (${remark})`)
    } catch (error) {
      this.fail((error as Error).message)
    }
  }

  private fail(reason: string): void {
    this.failed++
    console.log(`FAILED: ${reason}`)
  }
}

async function main({ peers, timeoutMs, keep }: RunOptions): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'quicwire-browsers-'))
  const run = new Run(directory, timeoutMs)
  const [identity, files] = [await createIdentity(directory), await createTestFiles(directory)]
  for (const browser of browsers.filter(({ name }) => peers.some((chosen) => chosen.name === name))) {
    if (await run.install(browser)) await run.visit(browser, identity, files)
  }
  console.log(run.failed === 0 ? 'all passed' : `${run.failed} failed`)
  if (run.failed === 0 && !keep) await rm(directory, { recursive: true, force: true })
  else console.log(`Logs: ${directory}`)
  return run.failed === 0 ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
try {
  const options = parseRunArguments(process.argv.slice(2), browsers)
  if (options.reference) throw new UsageError('--reference belongs to interop:smoke')
  if (options.help) console.log(usage)
  else process.exitCode = await main(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`interop:browsers: ${error.message}\n\n${usage}`)
  process.exitCode = 2
}
