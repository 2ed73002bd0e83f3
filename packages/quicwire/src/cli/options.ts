// Command-line options: `--name value`, `--name=value`, `-n value`, flags, `--` before operands. A mistake is one clear
// line and exit code 2.

import { CommandError, ExitCode } from './exit-code.ts'

/** flag: present or not. value: at most once. list: any number of times. */
export type OptionKind = 'flag' | 'value' | 'list'

export interface OptionSpec {
  readonly kind: OptionKind
  /** One letter. */
  readonly short?: string
  /** Shown in help: the value's placeholder. */
  readonly value?: string
  readonly help: string
}

export type OptionTable = Readonly<Record<string, OptionSpec>>

type OptionValue<S extends OptionSpec> = S['kind'] extends 'flag' ? boolean : S['kind'] extends 'list' ? readonly string[] : string | null

export type ParsedOptions<T extends OptionTable> = { readonly [Name in keyof T]: OptionValue<T[Name]> }

export interface ParsedArguments<T extends OptionTable> {
  readonly options: ParsedOptions<T>
  readonly operands: readonly string[]
}

export function usageError(command: string, message: string): CommandError {
  return new CommandError(ExitCode.usage, `${message} (see quicwire ${command} --help)`)
}

export function parseArguments<const T extends OptionTable>(command: string, table: T, argv: readonly string[]): ParsedArguments<T> {
  const values: Record<string, boolean | string | null | string[]> = {}
  for (const [name, { kind }] of Object.entries(table)) values[name] = kind === 'flag' ? false : kind === 'list' ? [] : null
  const shorts = new Map(Object.entries(table).flatMap(([name, { short }]) => (short === undefined ? [] : [[short, name] as const])))
  const operands: string[] = []

  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!
    if (argument === '--') {
      operands.push(...argv.slice(index + 1))
      break
    }
    if (!argument.startsWith('-') || argument === '-') {
      operands.push(argument)
      continue
    }
    const equals = argument.startsWith('--') ? argument.indexOf('=') : -1
    const written = equals < 0 ? argument : argument.slice(0, equals)
    const name = written.startsWith('--') ? written.slice(2) : shorts.get(written.slice(1))
    const spec = name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined
    if (name === undefined || spec === undefined) throw usageError(command, `unknown option ${written}`)
    if (spec.kind === 'flag') {
      if (equals >= 0) throw usageError(command, `option ${written} takes no value`)
      values[name] = true
      continue
    }
    const value = equals >= 0 ? argument.slice(equals + 1) : argv[++index]
    if (value === undefined) throw usageError(command, `option ${written} needs a value`)
    if (spec.kind === 'list') {
      ;(values[name] as string[]).push(value)
      continue
    }
    if (values[name] !== null) throw usageError(command, `option ${written} is given twice`)
    values[name] = value
  }
  return { options: values as ParsedOptions<T>, operands }
}

/** A whole number in [minimum, maximum], or the default when the option is absent. */
export function integerOption(command: string, name: string, value: string | null, fallback: number, minimum: number, maximum: number): number {
  if (value === null) return fallback
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= minimum && number <= maximum)) throw usageError(command, `option --${name} must be a whole number from ${minimum} to ${maximum}, not '${value}'`)
  return number
}

/** The option lines of a help text. */
export function optionHelp(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, spec]) => {
    const left = `${spec.short === undefined ? '    ' : `-${spec.short}, `}--${name}${spec.value === undefined ? '' : ` ${spec.value}`}`
    return [left, spec.help] as const
  })
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`).join('\n')
}
