/** Lengths of time as kubectl prints them. */

/** The length of time (milliseconds) in its two largest units: `45s`, `3m20s`, `5d4h`, `2y30d`. */
export function printDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  // Clocks of two machines differ a little: up to a second from the future is now.
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (days < 8) return two(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  const years = Math.trunc(days / 365)
  if (years < 8) return two(years, 'y', days % 365, 'd')
  return `${years}y`
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
}

/** How long ago a time (RFC 3339) was at `now` (milliseconds since the epoch). */
export function printAge(time: unknown, now: number): string {
  if (typeof time !== 'string' || time === '') return '<unknown>'
  const then = Date.parse(time)
  return Number.isNaN(then) ? '<invalid>' : printDuration(now - then)
}
