// Numbers for people: bytes, rates, durations. Decimal units, as network tools use them.

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  for (const [limit, unit] of [[1e6, 'kB'], [1e9, 'MB'], [1e12, 'GB']] as const) {
    const value = bytes / (limit / 1000)
    if (value < 999.5) return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`
  }
  return `${(bytes / 1e12).toFixed(2)} TB`
}

export function formatRate(bytes: number, milliseconds: number): string {
  return milliseconds > 0 ? `${formatBytes(Math.round((bytes * 1000) / milliseconds))}/s` : '-'
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds < 10 ? milliseconds.toFixed(1) : milliseconds.toFixed(0)} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`
  const minutes = Math.floor(milliseconds / 60_000)
  return `${minutes} min ${Math.round((milliseconds - minutes * 60_000) / 1000)} s`
}
