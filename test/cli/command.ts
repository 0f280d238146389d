/** The `skystead` command in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectPath } from '../../cli/repository.ts'

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A command that runs. */
export interface Running {
  /** What it has written to standard output so far. */
  readonly out: () => string
  /** What it has written to standard error so far. */
  readonly err: () => string
  /** Resolves when its output holds the text; rejects, with what it said, when it ends without, or after 110 s. */
  readonly says: (text: string) => Promise<void>
  /** Sends a signal and waits for the end. */
  readonly end: (signal?: NodeJS.Signals) => Promise<Ended>
  readonly ended: Promise<Ended>
}

/** How long a text may take to come, in ms: less than ava waits, which would not say what was said instead. */
const patience = 110_000

const compileCache = join(tmpdir(), `skystead-cli-tests-${process.pid}`)

/** Forgets what the commands of this test run have compiled. */
export function forgetCompiled(): void {
  rmSync(compileCache, { recursive: true, force: true })
}

/** Starts the command. It gets no terminal. */
export function start(...parameters: readonly string[]): Running {
  // Nothing of the terminal that the tests run in, nor of colours that it forces.
  const { FORCE_COLOR: _, ...env } = process.env
  const child = spawn(process.execPath, [projectPath('cli/main.ts'), ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Processes of one test run share what they have compiled: that is most of a short command's time.
    env: { ...env, NODE_COMPILE_CACHE: compileCache },
  })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', chunk => {
    out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', chunk => {
    err += chunk
  })
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, out, err }))
  return {
    out: () => out,
    err: () => err,
    says: text => said(child, text, () => `${out}${err}`),
    end: (signal = 'SIGINT') => {
      child.kill(signal)
      return ended
    },
    ended,
  }
}

/** Runs the command to its end. */
export function run(...parameters: readonly string[]): Promise<Ended> {
  return start(...parameters).ended
}

function said(child: ChildProcess, text: string, output: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (!output().includes(text)) return
      clearTimeout(timer)
      resolve()
    }
    const fail = (what: string) => {
      clearTimeout(timer)
      reject(new Error(`${what} without saying "${text}":\n${output()}`))
    }
    const timer = setTimeout(() => fail(`It ran for ${patience} ms`), patience)
    child.stdout?.on('data', look)
    child.once('close', () => fail('It ended'))
    look()
  })
}
