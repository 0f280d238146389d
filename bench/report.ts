/** Results of benchmarks: medians, targets, and the table of docs/benchmarks.md. */
import type { Bench, Target } from './benches.ts'
import { type Figures, type Finding, percentile, rounded } from './measurement.ts'

/** The machine that a benchmark ran on. */
export interface Machine {
  readonly cpus: number
  readonly model: string
  /** In GiB. */
  readonly memory: number
  readonly node: string
}

/** One line of JSON: a benchmark's medians, and how they stand to what was wanted. */
export interface Result {
  readonly name: string
  readonly size: Figures
  readonly figures: Figures
  readonly target: Readonly<Record<string, Target['wanted']>>
  /** By figure. Left out: not judged at this size. */
  readonly met: Readonly<Record<string, boolean>>
  /** How many runs the figures are medians of. */
  readonly runs: number
  /** Processes that wanted to run when it began, over one minute: above the number of CPUs others were at work. */
  readonly load: number
  readonly machine: Machine
  readonly commit: string
}

/** What `judge` needs beside the findings. */
export interface Circumstances extends Pick<Result, 'load' | 'machine' | 'commit'> {
  readonly isFull: boolean
}

/** The medians of several runs of one benchmark, judged by its targets. */
export function judge(bench: Bench, findings: readonly Finding[], { isFull, ...rest }: Circumstances): Result {
  const [first] = findings
  if (first === undefined) throw new Error(`Cannot judge ${bench.name}: there is no run of it`)
  const names = [...new Set(findings.flatMap(({ figures }) => Object.keys(figures)))]
  const medians = names.map((name): [string, number] => {
    const samples = findings.map(({ figures }) => figures[name] ?? 0)
    return [name, rounded(percentile(samples, 50))]
  })
  const figures: Figures = Object.fromEntries(medians)
  const judged = Object.entries(bench.targets).filter(([, target]) => isFull || target.judged === 'Always')
  const met = judged.map(([name, { wanted }]): [string, boolean] => [name, isMet(figures[name], wanted)])
  return {
    name: bench.name,
    size: first.size,
    figures,
    target: Object.fromEntries(Object.entries(bench.targets).map(([name, { wanted }]) => [name, wanted])),
    met: Object.fromEntries(met),
    runs: findings.length,
    ...rest,
  }
}

/** Whether a figure is as wanted. A figure that is missing is not. */
export function isMet(value: number | undefined, wanted: Target['wanted']): boolean {
  if (value === undefined) return false
  const separator = wanted.indexOf(' ')
  const [relation, limit] = [wanted.slice(0, separator), Number(wanted.slice(separator + 1))]
  if (relation === '<') return value < limit
  if (relation === '<=') return value <= limit
  return relation === '>=' ? value >= limit : value === limit
}

/** The page that shows the last results, in the order of the benches. */
export function resultsPage(benches: readonly Bench[], results: readonly Result[]): string {
  const sections = benches.flatMap(bench => {
    const result = results.find(({ name }) => name === bench.name)
    return result === undefined ? [] : [section(bench, result)]
  })
  return `# Benchmarks

Made by \`npm run bench\` from \`bench/results/\`; do not edit. Medians of several runs, each in a process of its own, on the
simulator without delays, through the embedded API with durable storage. \`npm run bench -- --only NAME --runs 1\` runs one,
\`-- --small\` a small cloud in a minute that checks results and not times, \`-- --profile DIR\` says where the time goes.

${sections.join('\n')}`
}

function section(bench: Bench, result: Result): string {
  const { figures, target, met, machine, size } = result
  const wanted = Object.keys(target).map(name => {
    const verdict = met[name] === undefined ? '–' : met[name] ? 'met' : '**missed**'
    return `| ${name} | ${target[name]} | ${figures[name] ?? '–'} | ${verdict} |`
  })
  const others = Object.entries(figures).filter(([name]) => target[name] === undefined)
  const sizes = Object.entries(size).map(([name, value]) => `${value} ${name}`)
  return `## ${bench.name}
${bench.about}. Size: ${sizes.join(', ')}.

| figure | wanted | measured | |
| --- | --- | --- | --- |
${wanted.join('\n')}

${others.length === 0 ? '' : `Besides: ${others.map(([name, value]) => `${name} ${value}`).join(', ')}.\n`}
Median of ${result.runs} on ${machine.cpus} × ${machine.model}, ${machine.memory} GiB, Node ${machine.node}, commit ${result.commit}, load ${result.load} when it began.
`
}
