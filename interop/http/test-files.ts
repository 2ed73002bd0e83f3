// Bodies of the sizes of the HTTP cases, random and so different on every run, and many small files for many requests.

import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createIdentity, type Identity } from '../smoke/test-files.ts'

export interface TestFile {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

export interface HttpFiles extends Identity {
  readonly root: string
  /** As `SIZES` says. */
  readonly sizes: readonly TestFile[]
  /** A thousand of 32 bytes. */
  readonly small: readonly TestFile[]
}

export const SIZES: readonly { readonly bytes: number; readonly label: string }[] = [
  { bytes: 0, label: '0 B' },
  { bytes: 1, label: '1 B' },
  { bytes: 65_536, label: '64 KiB' },
  { bytes: 50_000_000, label: '50 MB' },
]
const SMALL_FILES = 1000

export async function createHttpFiles(directory: string): Promise<HttpFiles> {
  const root = join(directory, 'www')
  await mkdir(root, { recursive: true })
  const sizes: TestFile[] = []
  for (const { bytes } of SIZES) sizes.push(await createFile(root, `${bytes}-bytes.bin`, bytes))
  const small: TestFile[] = []
  for (let index = 0; index < SMALL_FILES; index += 1) small.push(await createFile(root, `small-${index}.bin`, 32))
  return { root, sizes, small, ...(await createIdentity(directory)) }
}

async function createFile(root: string, name: string, bytes: number): Promise<TestFile> {
  const body = randomBytes(bytes)
  await writeFile(join(root, name), body)
  return { name, bytes, sha256: createHash('sha256').update(body).digest('hex') }
}
