/** Lengths of time as Go writes them: `90s`, `10m`, `1h30m`, `500ms`. */

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * The milliseconds that a duration stands for.
 * @throws RangeError when the text is no duration.
 */
export function parseDuration(text: string): number {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    throw new RangeError(`Cannot read the duration '${text}': it must look like 90s, 10m or 1h30m`)
  }
  let total = 0
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(number) * (milliseconds[unit ?? ''] ?? 0)
  }
  return total
}

/** Milliseconds as a duration, in hours, minutes, seconds and milliseconds: `1h30m`, `1.5s` becomes `1s500ms`. */
export function formatDuration(value: number): string {
  let rest = Math.round(value)
  const parts = ['h', 'm', 's', 'ms'].map(unit => {
    const size = milliseconds[unit] ?? 1
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count}${unit}`
  })
  return parts.join('') || '0s'
}
