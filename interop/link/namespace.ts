// Network namespaces under names of this process: gone with close(), with the process, and at the next start when it was killed.

import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LinkError } from './link-error.ts'

const NAMES = '/run/netns'
/** `ip netns exec NAME` mounts the files in NAME over those of /etc. */
const CONFIGURATIONS = '/etc/netns'
const OURS = /^quicwire-(\d+)-/

/** Where `ip` may be when it is not in a user's PATH. */
export const systemPath = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`

const existing = new Set<Namespace>()
let serial = 0

export class Namespace {
  readonly name: string

  private constructor(name: string) {
    this.name = name
  }

  /** `hosts`: what its /etc/hosts says. */
  static async create(label: string, hosts: string): Promise<Namespace> {
    const namespace = new Namespace(`quicwire-${process.pid}-${++serial}-${label}`)
    mkdirSync(join(CONFIGURATIONS, namespace.name), { recursive: true })
    if (existing.size === 0) watchProcess()
    existing.add(namespace)
    try {
      writeFileSync(join(CONFIGURATIONS, namespace.name, 'hosts'), hosts)
      await ip(['netns', 'add', namespace.name])
    } catch (error) {
      namespace.remove()
      throw error
    }
    return namespace
  }

  /** Lines of `ip -batch` inside. */
  async configure(lines: readonly string[]): Promise<void> {
    await ip(['-n', this.name, '-batch', '-'], `${lines.join('\n')}\n`)
  }

  /** `command`, to run inside. */
  place(command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.name, ...command]
  }

  /** With the processes inside. */
  remove(): void {
    remove(this.name)
    existing.delete(this)
    if (existing.size === 0) unwatchProcess()
  }
}

/** Rejects with LinkError and what `ip` said. */
export function ip(args: readonly string[], input: string = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile('ip', args, { env: { ...process.env, PATH: systemPath } }, (error, _output, errors) => {
      if (error === null) resolve()
      else reject(new LinkError(`ip ${args.join(' ')}: ${errors.trim() || error.message}`, { cause: error }))
    })
    // It may have ended before it read that.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** Removes what killed processes have left. */
export function removeLeftovers(): void {
  const live = new Set([...existing].map(({ name }) => name))
  for (const name of new Set([...listed(NAMES), ...listed(CONFIGURATIONS)])) {
    const owner = OURS.exec(name)
    if (owner === null || live.has(name)) continue
    const pid = Number(owner[1])
    if (pid === process.pid || !isAlive(pid)) remove(name)
  }
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Synchronous: also for the last moments of a process. */
function remove(name: string): void {
  const options = { env: { ...process.env, PATH: systemPath }, encoding: 'utf8' } as const
  for (const pid of (spawnSync('ip', ['netns', 'pids', name], options).stdout ?? '').split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
  spawnSync('ip', ['netns', 'delete', name], options)
  rmSync(join(CONFIGURATIONS, name), { recursive: true, force: true })
}

function removeAll(): void {
  for (const { name } of existing) remove(name)
  existing.clear()
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function watchProcess(): void {
  process.on('exit', removeAll)
  for (const signal of signals) process.on(signal, onSignal)
}

function unwatchProcess(): void {
  process.off('exit', removeAll)
  for (const signal of signals) process.off(signal, onSignal)
}

/** A program that handles the signal ends when it wants to; another would end without an 'exit' event. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  process.exit(signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 129)
}
