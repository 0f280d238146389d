/** What the benchmarks measure with, and how a process that runs one tells what it found. */
import { setTimeout as pause } from 'node:timers/promises'

/** Figures by name; each name ends with its unit. */
export type Figures = Readonly<Record<string, number>>

/** What one run of a benchmark found. */
export interface Finding {
  readonly name: string
  /** How large it was, for example `{hosts: 2000, machines: 10000}`. */
  readonly size: Figures
  readonly figures: Figures
}

/** What a process that runs benchmarks is started with: one argument, as JSON. */
export interface BenchRequest {
  /** Names of the benchmarks to run, of those that the process has. */
  readonly only: readonly string[]
  readonly size: Figures
  /** The commit that is measured; with a plus where files differ from it. */
  readonly commit: string
  /** After how many seconds a wait is given up. */
  readonly patienceSeconds: number
}

/** The request that this process was started with. */
export function benchRequest(): BenchRequest {
  const [, , text] = process.argv
  if (text === undefined) throw new Error('Cannot run a benchmark by itself: use "npm run bench -- --only NAME"')
  const request = JSON.parse(text) as BenchRequest
  patience = request.patienceSeconds * 1000
  return request
}

let patience = 60_000

/** A number of the request's size. */
export function sizeOf({ size }: BenchRequest, name: string): number {
  const value = size[name]
  if (value === undefined) throw new Error(`Cannot run the benchmark: its size has no "${name}"`)
  return value
}

/** Tells whoever started this process what was found. */
export function tellFinding(finding: Finding): void {
  process.stdout.write(`${JSON.stringify(finding)}\n`)
}

/** How long something takes, in seconds. */
export async function secondsOf(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

/** Waits, asking every so many ms, until the predicate holds. Rejects, saying what for, when patience is at its end. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { every = 100 }: { readonly every?: number } = {},
): Promise<void> {
  const end = performance.now() + patience
  while (!(await holds())) {
    if (performance.now() > end)
      throw new Error(`Cannot go on: after ${patience / 1000} s it is still not so that ${what}`)
    await pause(every)
  }
}

/** The value below which so many percent of the samples lie (nearest rank). */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((left, right) => left - right)
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
  if (value === undefined) throw new Error('Cannot take a percentile: there is no sample')
  return value
}

/** A number with three significant digits; whole ones stay whole. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3))
}
