/** Processes that run seeds side by side: each takes the next seed when it is done with one. */
import { type ChildProcess, fork } from 'node:child_process'
import { type Options, sameScenarios } from './options.ts'
import type { Result } from './result.ts'

const program = new URL('worker.ts', import.meta.url)
/**
 * Most objects of a run die young: more room for them saves a twelfth of its time. Every processor has a worker already:
 * threads that help one to collect garbage take another's time, a tenth of it.
 */
const execArgv = ['--max-semi-space-size=128', '--single-threaded-gc']

/** Runs all seeds. Rejects when a process dies. */
export async function runInWorkers(options: Options, tell: (result: Result) => void): Promise<void> {
  const end = options.seed + options.seeds
  let next = options.seed
  function give(child: ChildProcess): void {
    if (next < end) child.send(next++)
    else child.disconnect()
  }
  function work(): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = fork(program, sameScenarios(options), { execArgv })
      child.on('message', message => {
        tell(message as Result)
        give(child)
      })
      child.on('error', reject)
      child.on('exit', code =>
        code === 0 ? resolve() : reject(new Error(`A process that runs seeds ended with ${code}`)),
      )
      give(child)
    })
  }
  await Promise.all(Array.from({ length: Math.min(options.workers, options.seeds) }, work))
}
