// Where the body of a response goes: standard output, one file, or a file in a directory under the name in the URL.

import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Target } from '../client/target.ts'
import type { CommandIo } from './command-io.ts'
import { writeFully } from './command-io.ts'
import { CommandError, ExitCode } from './exit-code.ts'

export interface BodyOutput {
  write(piece: Uint8Array): Promise<void>
  end(): Promise<void>
  /** Takes away what was written so far, where that is possible. */
  discard(): Promise<void>
}

/** The file name a URL path stands for: its last segment, 'index.html' for a directory. */
export function fileNameOf({ path }: Pick<Target, 'path'>): string {
  const last = path.replace(/[?#].*$/s, '').split('/').at(-1)!
  let name: string
  try {
    name = decodeURIComponent(last)
  } catch {
    name = last
  }
  if (name === '') return 'index.html'
  // The server chooses the URL of a link; it must not choose a place on this machine.
  if (name === '.' || name === '..' || /[/\\\0]/.test(name)) throw new CommandError(ExitCode.usage, `the URL path ${path} gives no usable file name`)
  return name
}

export function stdoutOutput(io: CommandIo): BodyOutput {
  return {
    write: (piece) => writeFully(io.stdout, piece),
    end: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  }
}

export async function fileOutput(path: string): Promise<BodyOutput> {
  const failed = (error: unknown): CommandError => new CommandError(ExitCode.local, `cannot write ${path}: ${(error as Error).message}`, error)
  const file = await open(path, 'w').catch((error: unknown) => {
    throw failed(error)
  })
  return {
    async write(piece) {
      try {
        for (let written = 0; written < piece.length; ) written += (await file.write(piece, written)).bytesWritten
      } catch (error) {
        throw failed(error)
      }
    },
    end: () => file.close(),
    async discard() {
      await file.close()
      await rm(path, { force: true })
    },
  }
}

/** The files for several URLs in one directory; two URLs with the same name are refused before anything is fetched. */
export function filesIn(directory: string, targets: readonly Target[]): string[] {
  const names = targets.map(fileNameOf)
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) throw new CommandError(ExitCode.usage, `two URLs would be written to the same file ${name}`)
  }
  return names.map((name) => join(directory, name))
}
