/** Runs kubectl as a person does. */
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ExecutionContext, TestFn } from 'ava'
import PQueue from 'p-queue'
import { realEnvironment } from '../../../cli/environment.ts'
import { serveForTest } from '../../apiserver/core/serving.ts'
import { skipped } from '../../skipped.ts'
import type { Program } from './programs.ts'

/** How it ended, and what it printed. */
export interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A kubectl with an API. */
export interface Kubectl {
  /** Of version 1.MINOR. */
  readonly minor: number
  /** A group that no other test has kinds in. */
  readonly group: string
  /** The namespace that is meant where none is named: nobody else's. */
  readonly namespace: string
  /** Runs a line; `%` in it stands for a file with the input, which is JSON where it is no string. */
  run(line: string, input?: unknown): Promise<Result>
  /** What it prints, line by line, until the test ends. */
  stream(line: string): AsyncIterable<string>
}

/** One thing that kubectl has to do. */
export type Story = Telling | LaterStory

/** A story that not every kubectl can be told. */
export interface LaterStory {
  /** The first minor version that can. */
  readonly since: number
  readonly tell: Telling
}

type Telling = (t: ExecutionContext, kubectl: Kubectl) => Promise<void>

/** Each keeps a processor busy: tests of one file would all begin at once. */
const few = new PQueue({ concurrency: 3 })

/** Tells a program stories, by title, each in its turn; those that it is too old for are skipped. */
export function tellStories(test: TestFn, program: Program, stories: Readonly<Record<string, Story>>): void {
  for (const [title, story] of Object.entries(stories)) {
    const { since, tell } = typeof story === 'function' ? { since: 0, tell: story } : story
    const what = `kubectl 1.${program.minor} ${title}`
    if (program.minor < since) skipped(test, what, [`kubectl 1.${since}`])
    else test(what, t => inTurn(t, program, tell))
  }
}

function inTurn(t: ExecutionContext, program: Program, tell: Telling): Promise<void> {
  return few.add(async () => {
    t.timeout(180_000)
    await tell(t, await startKubectl(t, program))
  })
}

/**
 * Starts a server for the test and a kubectl that talks to it, with a namespace and a cache of its own. With
 * SKYSTEAD_TEST_KUBECONFIG the API of that file is asked instead: what holds here has to hold on a real one.
 */
async function startKubectl(t: ExecutionContext, program: Program): Promise<Kubectl> {
  const kubeconfig = process.env.SKYSTEAD_TEST_KUBECONFIG ?? (await serveForTest(t)).kubeconfigPath
  const mark = realEnvironment().random.uuid().slice(0, 8)
  const namespace = `kubectl-${mark}`
  const directory = mkdtempSync(join(tmpdir(), 'skystead-kubectl-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const base = ['--kubeconfig', kubeconfig, '--cache-dir', join(directory, 'cache'), '--namespace', namespace]
  const env = { ...process.env, KUBE_EDITOR: 'sed -i s/size:.5/size:\\ 6/' }
  let files = 0

  const run = (line: string, input?: unknown): Promise<Result> => {
    const file = join(directory, `input-${++files}.yaml`)
    if (input !== undefined) writeFileSync(file, typeof input === 'string' ? input : JSON.stringify(input))
    const [options, parameters] = [base, line.split(' ').map(word => (word === '%' ? file : word))]
    return new Promise(resolve => {
      execFile(program.path, [...options, ...parameters], { env }, (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out.trim(), err: err.trim() })
      })
    })
  }

  const made = await run(`create namespace ${namespace}`)
  if (made.code !== 0) throw new Error(made.err)
  t.teardown(async () => {
    await run(`delete namespace ${namespace} --wait=false`)
  })
  return {
    minor: program.minor,
    group: `g${mark}.example.dev`,
    namespace,
    run,
    stream(line) {
      const child = spawn(program.path, [...base, ...line.split(' ')], { stdio: ['ignore', 'pipe', 'inherit'] })
      t.teardown(() => void child.kill())
      return createInterface({ input: child.stdout })
    },
  }
}
