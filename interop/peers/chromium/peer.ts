// Headless Chromium, told to speak QUIC to the server under test and to trust its key only. What it reports of each
// resource (PerformanceResourceTiming) is the answer; nothing is inferred from the page having appeared.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child, ProcessError } from '../../process/child.ts'
import { runInstallScript } from '../install-script.ts'
import type { CaseFiles, PageReport, Peer } from '../peer.ts'
import { DevTools } from './devtools.ts'

export const chromium: Peer = {
  name: 'chromium',

  install: () => runInstallScript(new URL('install.sh', import.meta.url)),

  async loadPage(port, page, file, files, timeoutMs) {
    const profile = await mkdtemp(join(tmpdir(), 'quicwire-chromium-'))
    const browser = await Child.start('chromium', browserFlags(port, profile, files), {
      name: 'chromium',
      logFile: join(files.logDirectory, 'chromium.log'),
      extraPipes: 2,
      env: { SSLKEYLOGFILE: join(files.logDirectory, 'chromium.keys') },
    })
    const failures: string[] = []
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new ProcessError(`the page was not loaded after ${timeoutMs / 1000} s`)), timeoutMs)
    })
    try {
      return await Promise.race([load(new DevTools(browser), `https://localhost:${port}/`, page, file, failures), timeout])
    } catch (error) {
      const reasons = [...new Set(failures)].slice(0, 3).join(', ')
      throw new ProcessError(`${(error as Error).message}${reasons === '' ? '' : ` (${reasons})`}`, { cause: error })
    } finally {
      clearTimeout(timer)
      await browser.stop()
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
  },
}

function browserFlags(port: number, profile: string, files: CaseFiles): string[] {
  return [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--user-data-dir=${profile}`,
    '--remote-debugging-pipe',
    '--enable-quic',
    `--origin-to-force-quic-on=localhost:${port}`,
    '--host-resolver-rules=MAP localhost 127.0.0.1',
    `--ignore-certificate-errors-spki-list=${files.spkiHash}`,
    `--log-net-log=${join(files.logDirectory, 'chromium-netlog.json')}`,
    'about:blank',
  ]
}

async function load(devTools: DevTools, origin: string, page: string, file: string, failures: string[]): Promise<PageReport> {
  devTools.onEvent((method, params) => {
    if (method === 'Network.loadingFailed') failures.push(String(params['errorText']))
  })
  const { targetId } = await devTools.send('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await devTools.send('Target.attachToTarget', { targetId, flatten: true })
  const session = sessionId as string
  await devTools.send('Network.enable', {}, session)
  await devTools.send('Page.enable', {}, session)
  const loaded = new Promise<void>((resolve) => {
    devTools.onEvent((method) => {
      if (method === 'Page.loadEventFired') resolve()
    })
  })
  const navigation = await devTools.send('Page.navigate', { url: `${origin}${page}` }, session)
  if (navigation['errorText'] !== undefined) throw new ProcessError(`navigation failed: ${String(navigation['errorText'])}`)
  await loaded
  const evaluation = await devTools.send(
    'Runtime.evaluate',
    { expression: `(${inThePage})(${JSON.stringify(file)})`, awaitPromise: true, returnByValue: true },
    session,
  )
  if (evaluation['exceptionDetails'] !== undefined) throw new ProcessError(`in the page: ${exceptionText(evaluation['exceptionDetails'])}`)
  return (evaluation['result'] as { value: PageReport }).value
}

/** Runs in the browser; answers a PageReport. */
const inThePage = `async (file) => {
  const fileUrl = new URL(file, location.origin).href
  const body = await (await fetch(fileUrl, { cache: 'no-store' })).arrayBuffer()
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body))
  const timingOf = (url) => performance.getEntriesByName(url, 'resource')[0]
  return {
    page: performance.getEntriesByType('navigation')[0].nextHopProtocol,
    images: Array.from(document.images, (image) => ({
      name: new URL(image.src).pathname.slice(1),
      protocol: timingOf(image.src)?.nextHopProtocol ?? 'not in the resource timings',
      width: image.naturalWidth,
      height: image.naturalHeight,
      bytes: timingOf(image.src)?.decodedBodySize ?? -1,
    })),
    fileSha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    fileProtocol: timingOf(fileUrl)?.nextHopProtocol ?? 'not in the resource timings',
  }
}`

function exceptionText(details: unknown): string {
  const { text, exception } = details as { text?: string; exception?: { description?: string } }
  return exception?.description?.split('\n')[0] ?? text ?? 'an exception'
}
