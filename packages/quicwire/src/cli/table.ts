// Plain-text tables: columns as wide as their widest cell, numbers to the right.

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, index) => Math.max(column.title.length, ...rows.map((row) => (row[index] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => (columns[index]?.align === 'right' ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [line(columns.map((column) => column.title)), rule, ...rows.map((row) => line(columns.map((_, index) => row[index] ?? '')))].join('\n')
}
