// `pnpm fuzz [--target NAME] [--runs N] [--seed S] [--input HEX]`: parsers of peer input against changed copies of good input. Exit 0
// only when nothing but the errors they promise came out; a failure prints what repeats it.

import { parseArgs } from 'node:util'
import { FuzzFailure, fuzz, replay, type Target } from './target.ts'
import { targets } from './targets.ts'

const USAGE = `usage: pnpm fuzz [--target NAME] [--runs N] [--seed S] [--input HEX]
  --target NAME   ${targets.map(({ name }) => name).join(', ')}; default: all
  --runs N        inputs for each, default 10000
  --seed S        0 to 4294967295, default: another one every time
  --input HEX     this input only; needs --target`

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: { target: { type: 'string' }, runs: { type: 'string' }, seed: { type: 'string' }, input: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
})

function chosen(): readonly Target[] {
  if (values.target === undefined) return targets
  const found = targets.filter(({ name }) => name === values.target)
  if (found.length === 0) throw new RangeError(`no target '${values.target}'`)
  return found
}

function whole(text: string | undefined, fallback: number, name: string): number {
  const value = Number(text ?? fallback)
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new RangeError(`${name} is a whole number`)
  return value
}

function main(): void {
  const list = chosen()
  if (values.input !== undefined) {
    if (values.target === undefined) throw new RangeError('--input needs --target')
    console.log(replay(list[0]!, values.input) ? 'taken' : 'refused, as it should be')
    return
  }
  const runs = whole(values.runs, 10_000, '--runs')
  const seed = whole(values.seed, Math.floor(Math.random() * 0x1_0000_0000), '--seed')
  console.log(`seed ${seed}`)
  for (const target of list) {
    const begin = performance.now()
    const { accepted } = fuzz(target, runs, seed)
    const seconds = ((performance.now() - begin) / 1000).toFixed(1)
    console.log(`${target.name.padEnd(24)} ${runs} inputs in ${seconds} s, ${accepted} taken, ${runs - accepted} refused`)
  }
}

try {
  if (values.help === true) console.log(USAGE)
  else main()
} catch (error) {
  if (error instanceof FuzzFailure) {
    console.error(error.message)
    process.exitCode = 1
  } else if (error instanceof RangeError) {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exitCode = 2
  } else throw error
}
