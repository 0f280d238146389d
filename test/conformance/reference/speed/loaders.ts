/** Processes that load an API, as those see them who tell them what to do. */

import { type ChildProcess, fork } from 'node:child_process'
import type { ConnectOptions } from '../../../apiserver/process/clients.ts'
import type { Done, Heard, Task, Writing, Written } from './loader.ts'

const program = new URL('loader.ts', import.meta.url).pathname

/** A process that loads an API; every promise rejects with what it could not do. */
export interface Loader extends AsyncDisposable {
  write(writing: Writing): Promise<Written>
  /** What one list of everything takes, in seconds. */
  list(options?: { readonly gzip: boolean }): Promise<number>
  /** Lists everything, one list after the other, until `rest`. */
  keepListing(): Promise<void>
  /** Resolves when so many watches of what the selector of fields says ('': everything) are open; they end with `rest`. */
  watch(watchers: number, selector: string): Promise<void>
  /** Resolves when the watches have been told of so many events, all together, or of none for a while. */
  hear(events: number): Promise<Heard>
  rest(): Promise<void>
}

/** Starts a loader; resolves when it is ready. */
export async function startLoader(kubeconfig: string, options: ConnectOptions): Promise<Loader> {
  const child = fork(program, [kubeconfig, JSON.stringify(options)])
  const { ask, ready } = conversation(child)
  await ready
  return {
    write: async writing => writtenOf(await ask({ type: 'write', writing })),
    list: async ({ gzip } = { gzip: false }) => secondsOf(await ask({ type: 'list', gzip })),
    keepListing: async () => void (await ask({ type: 'keepListing' })),
    watch: async (watchers, selector) => void (await ask({ type: 'watch', watchers, selector })),
    hear: async events => heardOf(await ask({ type: 'hear', events })),
    rest: async () => void (await ask({ type: 'rest' })),
    async [Symbol.asyncDispose]() {
      child.kill()
    },
  }
}

interface Answer {
  readonly id: number
  readonly done?: Done
  readonly failure?: string
}

/** Questions and answers; the answer that nobody asked for says that it is ready. */
function conversation(child: ChildProcess) {
  const waiting = new Map<number, PromiseWithResolvers<Done>>()
  const waitFor = (id: number) => {
    const answer = Promise.withResolvers<Done>()
    waiting.set(id, answer)
    return answer.promise
  }
  const ready = waitFor(0)
  let last = 0
  child.on('message', ({ id, done, failure }: Answer) => {
    if (failure === undefined) waiting.get(id)?.resolve(done)
    else waiting.get(id)?.reject(new Error(failure))
    waiting.delete(id)
  })
  child.on('exit', () => {
    for (const answer of waiting.values()) answer.reject(new Error('Cannot load the API: the loader has ended'))
  })
  const ask = (task: Task) => {
    const id = ++last
    child.send({ id, task })
    return waitFor(id)
  }
  return { ask, ready }
}

function writtenOf(done: Done): Written {
  if (done !== undefined && 'p99' in done) return done
  throw new Error('Cannot tell how the writes went: the loader answered with something else')
}

function heardOf(done: Done): Heard {
  if (done !== undefined && 'events' in done) return done
  throw new Error('Cannot tell what was heard: the loader answered with something else')
}

function secondsOf(done: Done): number {
  if (done !== undefined && 'seconds' in done) return done.seconds
  throw new Error('Cannot tell how long the list took: the loader answered with something else')
}
