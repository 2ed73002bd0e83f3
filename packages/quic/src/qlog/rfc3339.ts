/**
 * A calendar time in the format of RFC 3339 from Unix milliseconds, since the core has no Date. Days to civil date in the
 * proleptic Gregorian calendar; eras of 400 years that begin on March 1.
 */

const MS_PER_DAY = 86_400_000
const DAYS_PER_ERA = 146_097

/** @param unixMs ms since 1970-01-01T00:00:00Z, years 0 to 9999 */
export function rfc3339(unixMs: number): string {
  const ms = Math.floor(unixMs)
  const days = Math.floor(ms / MS_PER_DAY)
  const time = ms - days * MS_PER_DAY
  // Day 0 of the shifted calendar is 0000-03-01.
  const shifted = days + 719_468
  const era = Math.floor(shifted / DAYS_PER_ERA)
  const dayOfEra = shifted - era * DAYS_PER_ERA
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const hours = Math.floor(time / 3_600_000)
  const minutes = Math.floor(time / 60_000) % 60
  const seconds = Math.floor(time / 1000) % 60
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`
  return `${date}T${digits(hours, 2)}:${digits(minutes, 2)}:${digits(seconds, 2)}.${digits(time % 1000, 3)}Z`
}

function digits(value: number, width: number): string {
  return value.toString().padStart(width, '0')
}
