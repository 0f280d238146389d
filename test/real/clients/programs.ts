/** Programs of others: where they are, and what they say line by line. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ExecutionContext } from 'ava'
import { realEnvironment } from '../../../cli/environment.ts'
import { sleep } from '../../../crds/environment.ts'
import { clientsFolder } from '../../clients/kubectl/programs.ts'

/** The folders of go/. */
export const goPrograms = ['informer', 'leader', 'manager', 'flux', 'kstatus'] as const

/** Where a program of go/ is; undefined where it was not built on this machine. */
export function goProgram(name: (typeof goPrograms)[number]): string | undefined {
  const path = join(clientsFolder, name)
  return existsSync(path) ? path : undefined
}

/** A program that runs. */
export interface Running {
  readonly child: ChildProcess
  /** All lines so far. */
  readonly lines: readonly string[]
  /** Resolves when a line is this, or matches; rejects with all that it said after a minute, or when it ends before. */
  says(line: string | RegExp): Promise<void>
  /** Resolves when it has ended, with its exit code. */
  readonly ended: Promise<number | null>
}

/** How long a line may take to come, in ms. */
const patience = 60_000

/** Starts a program; it is killed when the test ends. */
export function startProgram(t: ExecutionContext, path: string, ...parameters: readonly string[]): Running {
  const child = spawn(path, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  let errors = ''
  let isOver = false
  createInterface({ input: child.stdout }).on('line', line => lines.push(line))
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const ended = new Promise<number | null>(resolve => {
    child.once('close', code => {
      isOver = true
      resolve(code)
    })
  })
  const { clock } = realEnvironment()
  return {
    child,
    lines,
    ended,
    async says(wished) {
      const end = clock.monotonic() + patience
      const isSaid = (line: string) => (typeof wished === 'string' ? line === wished : wished.test(line))
      while (!lines.some(isSaid)) {
        if (isOver || clock.monotonic() > end) {
          throw new Error(`It did not say ${wished}, but:\n${lines.join('\n')}\n${errors.slice(-4_000)}`)
        }
        await sleep(clock, 20)
      }
    },
  }
}
