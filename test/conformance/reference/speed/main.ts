/**
 * `npm run bench:reference`: the embedded server and a Kubernetes API as it really is do the same work, one after the
 * other, three times (`--runs N`); medians go to bench/results/api.json. With `--small` it is little work, once, and nothing is kept;
 * with `--embedded` the embedded server works alone, and nothing is kept.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { realEnvironment } from '../../../../cli/environment.ts'
import { projectPath } from '../../../../cli/repository.ts'
import { startServerProcess } from '../../../apiserver/process/server-process.ts'
import { connect } from '../../api.ts'
import { install } from '../../installation.ts'
import { buildPrograms, version } from '../build.ts'
import { startReference } from '../server.ts'
import { disk } from './disk.ts'
import { machines } from './objects.ts'
import { type Figures, measure, type Size } from './workload.ts'

const { values } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    runs: { type: 'string', default: '3' },
    embedded: { type: 'boolean', default: false },
  },
})
const runs = values.small ? 1 : Number(values.runs)
const size: Size = values.small
  ? { writes: 300, seconds: 1, lists: [300, 600], watchers: [5, 20], told: 10 }
  : { writes: 5_000, seconds: 10, lists: [10_000, 25_000, 50_000], watchers: [100, 1_000], told: 100 }

async function embedded(): Promise<Figures> {
  const home = mkdtempSync(join(tmpdir(), 'skystead-speed-'))
  const syncs = disk(home)
  const server = await startServerProcess(home)
  try {
    await serveMachines(server.kubeconfig)
    const figures = await measure(server.kubeconfig, { context: 'skystead-token' }, size)
    return { ...syncs, ...figures, memoryMiB: memoryOf([server.pid]) }
  } finally {
    await server.kill()
    rmSync(home, { recursive: true })
  }
}

async function reference(): Promise<Figures> {
  const syncs = disk(tmpdir())
  await using server = await startReference(await buildPrograms())
  await serveMachines(server.kubeconfig)
  const figures = await measure(server.kubeconfig, {}, size)
  return { ...syncs, ...figures, memoryMiB: memoryOf(server.pids) }
}

async function serveMachines(kubeconfig: string): Promise<void> {
  const environment = realEnvironment()
  await using api = connect(kubeconfig, environment)
  await install(api, machines)
}

/** The memory that processes have in use, in MiB. */
function memoryOf(pids: readonly (number | undefined)[]): number {
  const kibibytes = pids.map(pid => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0)
  })
  return Math.round(kibibytes.reduce((sum, each) => sum + each, 0) / 1024)
}

function medians(runs: readonly Figures[]): Figures {
  const names = Object.keys(runs[0] ?? {})
  return Object.fromEntries(
    names.map(name => {
      const sorted = runs.map(run => run[name] ?? 0).sort((left, right) => left - right)
      return [name, sorted[Math.floor(sorted.length / 2)] ?? 0]
    }),
  )
}

const ours: Figures[] = []
const theirs: Figures[] = []
for (let run = 0; run < runs; run++) {
  ours.push(await embedded())
  if (!values.embedded) theirs.push(await reference())
}
const [own, other] = [medians(ours), medians(theirs)]
const table = Object.keys(own).map(name => ({ figure: name, embedded: own[name], reference: other[name] }))
for (const { figure, embedded: left, reference: right } of table) {
  process.stdout.write(`${figure.padEnd(32)} ${String(left).padStart(10)} ${String(right ?? '').padStart(10)}\n`)
}
if (!values.small && !values.embedded) {
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? '?'}, Node ${process.version}`
  const result = { name: 'api', reference: `kube-apiserver ${version} with etcd`, runs, size, machine, figures: table }
  writeFileSync(projectPath('bench/results/api.json'), `${JSON.stringify(result, undefined, 2)}\n`)
}
