// Headless Firefox. It is told by a preference that the server under test offers HTTP/3, as Alt-Svc would, and nothing listens on TCP there.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, BrowserFiles, Tab } from '../../browsers/browser.ts'
import { Child, ProcessError, lastLine, quoted } from '../../process/child.ts'
import { runInstallScript } from '../install-script.ts'
import { Marionette } from './marionette.ts'

const STARTING_MS = 60_000
/** Of a script in the page; the run has its own. */
const SCRIPT_MS = 600_000

export const firefoxBrowser: Browser = {
  name: 'firefox',

  install: () => runInstallScript(new URL('install.sh', import.meta.url)),

  async open(port, files) {
    const profile = await mkdtemp(join(tmpdir(), 'quicwire-firefox-'))
    await writeFile(join(profile, 'user.js'), preferences(port))
    await trust(profile, files)
    const browser = await Child.start('firefox-esr', ['--headless', '--no-remote', '--marionette', '--profile', profile, 'about:blank'], {
      name: 'firefox',
      logFile: join(files.logDirectory, 'firefox.log'),
      env: { SSLKEYLOGFILE: join(files.logDirectory, 'firefox.keys'), HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
    })
    const end = async (): Promise<void> => {
      await browser.stop()
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
    try {
      const marionette = await connected(browser, profile)
      await marionette.send('WebDriver:NewSession', { capabilities: { alwaysMatch: { timeouts: { script: SCRIPT_MS } } } })
      return new FirefoxTab(marionette, end)
    } catch (error) {
      await end()
      throw error
    }
  },
}

/** Into the profile's certificate database; exceptions for a certificate, which WebDriver can make, do not hold for HTTP/3. */
async function trust(profile: string, { authority, logDirectory }: BrowserFiles): Promise<void> {
  const database = ['-d', `sql:${profile}`]
  for (const args of [['-N', '--empty-password'], ['-A', '-n', 'interop', '-t', 'C,,', '-i', authority]]) {
    const certutil = await Child.start('certutil', [...database, ...args], { name: 'certutil', logFile: join(logDirectory, 'certutil.log') })
    const { code } = await certutil.finish(10_000)
    if (code !== 0) throw new ProcessError(`certutil ended with ${code}${quoted(lastLine(certutil.output()))}`)
  }
}

function preferences(port: number): string {
  const chosen: Readonly<Record<string, string | number | boolean>> = {
    // It writes the port it takes into the profile.
    'marionette.port': 0,
    'network.http.http3.enable': true,
    'network.http.http3.alt-svc-mapping-for-testing': `localhost;h3=:${port}`,
    'network.http.http3.disable_when_third_party_roots_found': false,
    'network.dns.disableIPv6': true,
    // Nothing but the server under test can be reached.
    'app.update.enabled': false,
    'browser.safebrowsing.downloads.enabled': false,
    'browser.safebrowsing.malware.enabled': false,
    'browser.safebrowsing.phishing.enabled': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'extensions.update.enabled': false,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'network.prefetch-next': false,
    'network.trr.mode': 5,
    'toolkit.telemetry.enabled': false,
  }
  return Object.entries(chosen)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('')
}

async function connected(browser: Child, profile: string): Promise<Marionette> {
  const deadline = performance.now() + STARTING_MS
  for (;;) {
    await delay(100)
    const port = Number(await readFile(join(profile, 'MarionetteActivePort'), 'utf8').catch(() => ''))
    const marionette = port === 0 ? null : await Marionette.connect(port).catch(() => null)
    if (marionette !== null) return marionette
    if (browser.exited) throw new ProcessError(`firefox ended before it was ready${quoted(lastLine(browser.output()))}`)
    if (performance.now() > deadline) throw new ProcessError(`firefox was not ready after ${STARTING_MS / 1000} s`)
  }
}

class FirefoxTab implements Tab {
  private readonly marionette: Marionette
  private readonly end: () => Promise<void>

  constructor(marionette: Marionette, end: () => Promise<void>) {
    this.marionette = marionette
    this.end = end
  }

  async navigate(url: string): Promise<void> {
    await this.marionette.send('WebDriver:Navigate', { url })
  }

  async call(functionText: string, argument: unknown): Promise<unknown> {
    // Not in the sandbox that scripts have by default, where a page's objects are wrapped.
    const script = `const [argument, done] = arguments
      ;(${functionText})(argument).then((value) => done({ value }), (error) => done({ error: String(error) }))`
    const { value } = await this.marionette.send('WebDriver:ExecuteAsyncScript', { script, args: [argument], sandbox: null })
    const outcome = value as { readonly value?: unknown; readonly error?: string }
    if (outcome.error !== undefined) throw new ProcessError(`in the page: ${outcome.error}`)
    return outcome.value
  }

  async close(): Promise<void> {
    this.marionette.close()
    await this.end()
  }
}
