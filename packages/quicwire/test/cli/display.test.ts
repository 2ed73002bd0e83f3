import { describe, expect, it } from 'vitest'
import { ProgressBar, progressLine } from '../../src/cli/progress-bar.ts'
import { formatBytes, formatDuration, formatRate } from '../../src/cli/quantity.ts'
import { renderTable } from '../../src/cli/table.ts'

describe('quantities', () => {
  it('are short and decimal', () => {
    expect([0, 999, 1000, 12_345, 999_499, 999_500, 50_000_000, 3e12].map(formatBytes)).toEqual([
      '0 B', '999 B', '1.00 kB', '12.3 kB', '999 kB', '1.00 MB', '50.0 MB', '3.00 TB',
    ])
    expect([0.25, 42, 1500, 90_000].map(formatDuration)).toEqual(['0.3 ms', '42 ms', '1.5 s', '1 min 30 s'])
    expect(formatRate(5_000_000, 500)).toBe('10.0 MB/s')
    expect(formatRate(1, 0)).toBe('-')
  })
})

describe('renderTable', () => {
  it('lines columns up and leaves no trailing blanks', () => {
    expect(renderTable([{ title: 'class' }, { title: 'files', align: 'right' }, { title: 'note' }], [['small', '1000', ''], ['large', '1', 'ok']])).toBe(
      ['class  files  note', '-----  -----  ----', 'small   1000', 'large      1  ok'].join('\n'),
    )
  })
})

describe('progressLine', () => {
  it('never wraps and shows the share done', () => {
    for (const columns of [1, 10, 20, 40, 80, 200]) {
      for (const [done, total] of [[0, 100], [50, 100], [100, 100], [0, 0], [12_345, null]] as const) {
        expect(progressLine('a/rather/long/name/of/a/file.tar.gz', done, total, 1000, columns).length).toBeLessThan(columns)
      }
    }
    expect(progressLine('file', 50, 100, 1000, 100)).toContain(' 50%')
    expect(progressLine('file', 50, 100, 1000, 100)).toContain('1.0 s left')
  })
})

describe('ProgressBar', () => {
  it('draws at most ten times a second, ends its line, and is silent without a terminal', () => {
    for (const isTTY of [true, false]) {
      let now = 0
      const written: string[] = []
      const bar = new ProgressBar({ isTTY, columns: 80, write: (text) => written.push(text) }, 'x', 1000, () => now)
      for (; now < 1000; now++) bar.add(1)
      bar.finish()
      expect(written).toHaveLength(isTTY ? 12 : 0)
      if (isTTY) expect(written.slice(-2).join('')).toMatch(/100% .*\n$/s)
    }
  })
})
