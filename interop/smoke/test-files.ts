// What the cases serve: one file of 10 MB, and a page with 50 images, all random and so different on every run.

import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { createDevCertificate } from '@quicwire/quic'
import { nodeProvider } from '@quicwire/quic/crypto-node'

export interface ExpectedImage {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly bytes: number
}

export interface TestFiles extends Identity {
  readonly root: string
  readonly download: string
  readonly downloadBytes: number
  readonly downloadSha256: string
  readonly page: string
  readonly images: readonly ExpectedImage[]
}

const DOWNLOAD_BYTES = 10 * 1024 * 1024
const IMAGES = 50

export async function createTestFiles(directory: string): Promise<TestFiles> {
  const root = join(directory, 'www')
  await mkdir(root, { recursive: true })
  const body = randomBytes(DOWNLOAD_BYTES)
  await writeFile(join(root, 'ten-megabytes.bin'), body)
  const images: ExpectedImage[] = []
  for (let index = 0; index < IMAGES; index++) {
    // From 200 bytes to 75 KB: some fit one packet, some outgrow the first congestion window.
    const width = 8 + 3 * index
    const height = 8 + 3 * index
    const png = encodePng(width, height)
    const name = `image-${String(index).padStart(2, '0')}.png`
    await writeFile(join(root, name), png)
    images.push({ name, width, height, bytes: png.length })
  }
  const tags = images.map(({ name }) => `<img src="${name}" alt="${name}">`).join('\n')
  const page = 'fifty-images.html'
  await writeFile(join(root, page), `<!doctype html>\n<meta charset="utf-8">\n<link rel="icon" href="data:,">\n<title>50 images</title>\n${tags}\n`)
  return {
    root,
    download: 'ten-megabytes.bin',
    downloadBytes: DOWNLOAD_BYTES,
    downloadSha256: createHash('sha256').update(body).digest('hex'),
    page,
    images,
    ...(await createIdentity(directory)),
  }
}

export async function sha256OfFile(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

/** Paths of PEM files for localhost and 127.0.0.1, and the certificate's SPKI hash as browsers take it. */
export interface Identity {
  readonly certificate: string
  readonly key: string
  readonly spkiHash: string
}

export async function createIdentity(directory: string): Promise<Identity> {
  const made = createDevCertificate(nodeProvider, { names: ['localhost', '127.0.0.1'], unixTimeMs: Date.now() })
  const certificate = join(directory, 'certificate.pem')
  const key = join(directory, 'key.pem')
  await writeFile(certificate, made.certificatePem)
  await writeFile(key, made.privateKeyPem, { mode: 0o600 })
  const spki = new X509Certificate(made.certificatePem).publicKey.export({ type: 'spki', format: 'der' })
  return { certificate, key, spkiHash: createHash('sha256').update(spki).digest('base64') }
}

/** 8-bit RGB of random colours, so that it does not compress (PNG specification §11). */
function encodePng(width: number, height: number): Buffer {
  const rows = Buffer.alloc((1 + 3 * width) * height)
  for (let row = 0; row < height; row++) rows.set(randomBytes(3 * width), row * (1 + 3 * width) + 1)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(typed.length + 8)
  framed.writeUInt32BE(data.length, 0)
  framed.set(typed, 4)
  framed.writeUInt32BE(crc32(typed), typed.length + 4)
  return framed
}
