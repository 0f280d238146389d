/** `npm run bench`: runs every benchmark in processes of their own, prints one line of JSON each, and keeps the results. */
import { execFile, spawn } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { wholeNumber } from '../cli/option-values.ts'
import { projectPath } from '../cli/repository.ts'
import { benches, sizes } from './benches.ts'
import type { BenchRequest, Figures, Finding } from './measurement.ts'
import { type Circumstances, judge, type Machine, type Result, resultsPage } from './report.ts'

interface Options {
  readonly small: boolean
  readonly only?: readonly string[]
  readonly runs?: number
  readonly hosts?: number
  readonly machines?: number
  readonly profile?: string
}

const run = promisify(execFile)
const resultsDirectory = projectPath('bench/results')
const positive = wholeNumber(1)
const page = projectPath('docs/benchmarks.md')

const options = new Command('bench')
  .description('Measures the speed and memory of Skystead on the simulator.')
  .option('--small', 'a small cloud: checks results, not times, and keeps nothing', false)
  .option('--only <names...>', `only these: ${benches.map(({ name }) => name).join(', ')}`)
  .option('--runs <count>', 'runs to take the medians of (default: 3, small 1)', positive)
  .option('--hosts <count>', 'another number of hosts: results are printed and not kept', positive)
  .option('--machines <count>', 'another number of machines: likewise', positive)
  .option('--profile <directory>', 'writes CPU profiles of every thread there, for the developer tools of a browser')
  .parse()
  .opts<Options>()

const unknown = options.only?.filter(name => !benches.some(bench => bench.name === name)) ?? []
if (unknown.length > 0) {
  process.stderr.write(`bench: there is no benchmark "${unknown.join('", "')}"\n`)
  process.exit(1)
}
try {
  process.exitCode = (await runAll()) ? 0 : 1
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

/** Runs what was asked for. Answers whether all that must hold on any machine does. */
async function runAll(): Promise<boolean> {
  const wanted = benches.filter(({ name }) => options.only?.includes(name) ?? true)
  const files = [...new Set(wanted.map(({ file }) => file))]
  const circumstances: Circumstances = {
    isFull: !options.small,
    load: Math.round(loadavg()[0] ?? 0),
    machine: thisMachine(),
    commit: await commit(),
  }
  const runs = options.runs ?? (options.small ? 1 : 3)
  const findings: Finding[] = []
  const measure = async (file: string) => {
    const only = wanted.filter(bench => bench.file === file).map(({ name }) => name)
    const patienceSeconds = options.small ? 60 : 900
    const request: BenchRequest = { only, size: sizeOf(file), commit: circumstances.commit, patienceSeconds }
    for (let count = 0; count < runs; count++) findings.push(...(await runProcess(file, request)))
  }
  // Times do not count when it is small: everything at once.
  if (options.small) await allEnded(files.map(measure))
  else for (const file of files) await measure(file)
  const results = wanted.flatMap(bench => {
    const own = findings.filter(({ name }) => name === bench.name)
    return own.length === 0 ? [] : [judge(bench, own, circumstances)]
  })
  for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`)
  const isKept = !options.small && options.hosts === undefined && options.machines === undefined
  if (isKept) await keep(results)
  return report(results)
}

/** Waits for all, so that no process is left behind, and then rejects as the first that did. */
async function allEnded(runs: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(runs)
  await Promise.all(runs)
}

/** Runs one process, which tells its findings line by line. */
async function runProcess(file: string, request: BenchRequest): Promise<readonly Finding[]> {
  const profiling = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`]
  const child = spawn(process.execPath, [...profiling, projectPath(join('bench', file)), JSON.stringify(request)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const findings: Finding[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const finding = JSON.parse(line) as Finding
    if (request.only.includes(finding.name)) findings.push(finding)
  }
  const code = await ended
  if (code !== 0) throw new Error(`Cannot take the results of ${file}: it ended with code ${code}`)
  return findings
}

function sizeOf(file: string): Figures {
  const size = sizes[file]
  if (size === undefined) throw new Error(`Cannot run ${file}: its size is not known`)
  const { hosts, machines } = options
  const given = { ...(hosts === undefined ? {} : { hosts }), ...(machines === undefined ? {} : { machines }) }
  return { ...(options.small ? size.small : size.full), ...given }
}

/** Writes the results, and the page from all results that there are. */
async function keep(results: readonly Result[]): Promise<void> {
  await mkdir(resultsDirectory, { recursive: true })
  for (const result of results) {
    await writeFile(join(resultsDirectory, `${result.name}.json`), `${JSON.stringify(result, undefined, 2)}\n`)
  }
  const names = (await readdir(resultsDirectory)).filter(name => name.endsWith('.json'))
  const texts = await Promise.all(names.map(name => readFile(join(resultsDirectory, name), 'utf8')))
  await writeFile(
    page,
    resultsPage(
      benches,
      texts.map(text => JSON.parse(text) as Result),
    ),
  )
}

/** Says what was missed. Answers whether nothing was that must hold on any machine. */
function report(results: readonly Result[]): boolean {
  let isSound = true
  for (const { name, figures, target, met } of results) {
    for (const [figure, isMet] of Object.entries(met)) {
      if (isMet) continue
      process.stderr.write(`bench: ${name} missed ${figure} ${target[figure]}: ${figures[figure] ?? 'not measured'}\n`)
      const bench = benches.find(each => each.name === name)
      if (bench?.targets[figure]?.judged === 'Always') isSound = false
    }
  }
  return isSound
}

function thisMachine(): Machine {
  const [first] = cpus()
  const model = (first?.model ?? 'unknown CPU').trim()
  return { cpus: cpus().length, model, memory: Math.round(totalmem() / 2 ** 30), node: process.versions.node }
}

/** The commit that is checked out; with a plus where files differ from it, results of benchmarks apart. */
async function commit(): Promise<string> {
  const cwd = projectPath('.')
  try {
    const { stdout: head } = await run('git', ['rev-parse', '--short', 'HEAD'], { cwd })
    const others = ['.', ':!bench/results', ':!docs/benchmarks.md']
    const { stdout: changes } = await run('git', ['status', '--porcelain', '--', ...others], { cwd })
    return changes === '' ? head.trim() : `${head.trim()}+`
  } catch {
    return 'unknown'
  }
}
