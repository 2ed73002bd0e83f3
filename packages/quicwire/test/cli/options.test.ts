import { describe, expect, it } from 'vitest'
import { CommandError, ExitCode, exitCodeTable } from '../../src/cli/exit-code.ts'
import { integerOption, optionHelp, parseArguments, type OptionTable } from '../../src/cli/options.ts'

const table = {
  output: { kind: 'value', short: 'o', value: 'FILE', help: 'where to' },
  header: { kind: 'list', short: 'H', value: "'k: v'", help: 'add a header' },
  verbose: { kind: 'flag', short: 'v', help: 'say more' },
} as const satisfies OptionTable

function failure(action: () => unknown): CommandError {
  try {
    action()
  } catch (error) {
    if (error instanceof CommandError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('parseArguments', () => {
  it('reads long and short forms, lists, flags, and operands around them', () => {
    const { options, operands } = parseArguments('get', table, ['a', '-o', 'x', '--header=a: b', '-H', 'c: d', '-v', 'b', '--', '--output'])
    expect(options).toEqual({ output: 'x', header: ['a: b', 'c: d'], verbose: true })
    expect(operands).toEqual(['a', 'b', '--output'])
  })

  it('defaults to null, empty and false', () => {
    expect(parseArguments('get', table, []).options).toEqual({ output: null, header: [], verbose: false })
  })

  it('takes a value that looks like an option, an empty one, and - as an operand', () => {
    expect(parseArguments('get', table, ['--output', '-v']).options).toMatchObject({ output: '-v', verbose: false })
    expect(parseArguments('get', table, ['--output=']).options.output).toBe('')
    expect(parseArguments('get', table, ['-']).operands).toEqual(['-'])
  })

  it.each([
    [['--nope'], 'unknown option --nope'],
    [['--nope=1'], 'unknown option --nope'],
    [['-x'], 'unknown option -x'],
    [['--constructor'], 'unknown option --constructor'],
    [['--output'], 'option --output needs a value'],
    [['--verbose=yes'], 'option --verbose takes no value'],
    [['-o', 'a', '--output', 'b'], 'option --output is given twice'],
  ])('%j is one clear line and exit code 2', (argv, message) => {
    const error = failure(() => parseArguments('get', table, argv))
    expect(error.message).toBe(`${message} (see quicwire get --help)`)
    expect(error.exitCode).toBe(ExitCode.usage)
  })
})

describe('integerOption', () => {
  it('reads within bounds and refuses the rest by name', () => {
    expect(integerOption('serve', 'port', '443', 0, 0, 65_535)).toBe(443)
    expect(integerOption('serve', 'port', null, 4433, 0, 65_535)).toBe(4433)
    for (const value of ['65536', '-1', '1.5', '0x10', '', 'abc', '1e3']) {
      expect(failure(() => integerOption('serve', 'port', value, 0, 0, 65_535)).message).toContain('--port must be a whole number from 0 to 65535')
    }
  })
})

describe('help', () => {
  it('lines options up', () => {
    expect(optionHelp(table).split('\n')).toEqual([
      '  -o, --output FILE    where to',
      "  -H, --header 'k: v'  add a header",
      '  -v, --verbose        say more',
    ])
  })

  it('documents every exit code once', () => {
    expect(exitCodeTable.map(([code]) => code)).toEqual(Object.values(ExitCode))
  })
})
