import type { Random } from '../../crds/environment.ts'

/** Chance that a seed decides: the same seed gives the same numbers and UUIDs, in the same order. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  // SplitMix32: one addition and two multiplications a number, with a full period of 2^32.
  function word(): number {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  function hex(): string {
    return word().toString(16).padStart(8, '0')
  }
  return {
    next: () => word() / 0x1_0000_0000,
    uuid() {
      const [a, b, c, d] = [hex(), hex(), hex(), hex()]
      const variant = ((Number.parseInt(c.slice(0, 1), 16) & 0x3) | 0x8).toString(16)
      return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-${variant}${c.slice(1, 4)}-${c.slice(4)}${d}`
    },
  }
}
