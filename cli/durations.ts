const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** A length of time for people, in its largest unit: `3 min`, `1.2 s`, `20 ms`. */
export function lasting(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 10_000) return `${Number((milliseconds / 1_000).toFixed(1))} s`
  const [unit, size] = units.find(([, each]) => milliseconds >= 2 * each) ?? ['s', 1_000]
  return `${Math.round(milliseconds / size)} ${unit}`
}

/** For how long something is so that began at a moment (RFC 3339): `for 3 min`. */
export function spell(moment: string, now: number): string {
  return `for ${lasting(Math.max(0, now - Date.parse(moment)))}`
}
