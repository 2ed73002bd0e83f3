// Headless Chromium, told to speak QUIC to the server under test and to trust its key only.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserFiles, Tab } from '../../browsers/browser.ts'
import { Child, ProcessError } from '../../process/child.ts'
import { runInstallScript } from '../install-script.ts'
import { DevTools } from './devtools.ts'

export const chromiumBrowser: Browser = {
  name: 'chromium',

  install: () => runInstallScript(new URL('install.sh', import.meta.url)),

  async open(port, files) {
    const profile = await mkdtemp(join(tmpdir(), 'quicwire-chromium-'))
    const browser = await Child.start('chromium', flags(port, profile, files), {
      name: 'chromium',
      logFile: join(files.logDirectory, 'chromium.log'),
      extraPipes: 2,
      env: { SSLKEYLOGFILE: join(files.logDirectory, 'chromium.keys') },
    })
    const end = async (): Promise<void> => {
      await browser.stop()
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
    try {
      return await ChromiumTab.of(new DevTools(browser), end)
    } catch (error) {
      await end()
      throw error
    }
  },
}

function flags(port: number, profile: string, files: BrowserFiles): string[] {
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

class ChromiumTab implements Tab {
  private readonly devTools: DevTools
  private readonly session: string
  private readonly end: () => Promise<void>
  /** What the network said of requests that failed. */
  private readonly failures: Set<string>
  private onLoad: () => void

  private constructor(devTools: DevTools, session: string, end: () => Promise<void>) {
    this.devTools = devTools
    this.session = session
    this.end = end
    this.failures = new Set()
    this.onLoad = () => {}
    devTools.onEvent((method, params) => {
      if (method === 'Network.loadingFailed') this.failures.add(String(params['errorText']))
      if (method === 'Page.loadEventFired') this.onLoad()
    })
  }

  static async of(devTools: DevTools, end: () => Promise<void>): Promise<ChromiumTab> {
    const { targetId } = await devTools.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await devTools.send('Target.attachToTarget', { targetId, flatten: true })
    const tab = new ChromiumTab(devTools, sessionId as string, end)
    await devTools.send('Network.enable', {}, tab.session)
    await devTools.send('Page.enable', {}, tab.session)
    return tab
  }

  async navigate(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve) => {
      this.onLoad = resolve
    })
    const navigation = await this.devTools.send('Page.navigate', { url }, this.session)
    if (navigation['errorText'] !== undefined) throw new ProcessError(`navigation failed: ${String(navigation['errorText'])}`)
    await loaded
  }

  async call(functionText: string, argument: unknown): Promise<unknown> {
    const expression = `(${functionText})(${JSON.stringify(argument)})`
    const evaluation = await this.devTools.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, this.session)
    const exception = evaluation['exceptionDetails']
    if (exception !== undefined) throw new ProcessError(`in the page: ${exceptionText(exception)}${this.reasons()}`)
    return (evaluation['result'] as { value: unknown }).value
  }

  close(): Promise<void> {
    return this.end()
  }

  private reasons(): string {
    return this.failures.size === 0 ? '' : ` (${[...this.failures].slice(0, 3).join(', ')})`
  }
}

function exceptionText(details: unknown): string {
  const { text, exception } = details as { text?: string; exception?: { description?: string } }
  return exception?.description?.split('\n')[0] ?? text ?? 'an exception'
}
