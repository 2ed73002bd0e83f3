// What the checks ask of a browser: a tab to load pages in and to run functions in.

import type { CaseFiles, PageReport } from '../peers/peer.ts'

/** Paths are absolute. */
export interface BrowserFiles extends Pick<CaseFiles, 'spkiHash' | 'logDirectory'> {
  /** PEM: the root of the server's chain. */
  readonly authority: string
}

export interface Browser {
  readonly name: string
  /** Makes it available; resolves with its version, rejects with InstallError. */
  install(): Promise<string>
  /** Starts one with a fresh profile. It speaks HTTP/3 to https://localhost:PORT/, at 127.0.0.1, and trusts the server's certificate. */
  open(port: number, files: BrowserFiles): Promise<Tab>
}

export interface Tab {
  /** Resolves when the page has loaded; rejects when it does not. */
  navigate(url: string): Promise<void>
  /** Calls an asynchronous function, given as source text, in the page. Its argument and its result are JSON. */
  call(functionText: string, argument: unknown): Promise<unknown>
  /** Ends the browser and removes its profile. */
  close(): Promise<void>
}

/** Loads https://localhost:PORT/PAGE, and fetches /FILE from within it. */
export async function loadPage(tab: Tab, port: number, page: string, file: string): Promise<PageReport> {
  await tab.navigate(`https://localhost:${port}/${page}`)
  return (await tab.call(REPORT, file)) as PageReport
}

/** Runs in the browser; answers a PageReport. */
const REPORT = `async (file) => {
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
