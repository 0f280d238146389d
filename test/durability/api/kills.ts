/** Kills the API server under load, again and again, and looks after each start whether what was answered is there. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServerProcess } from '../../apiserver/process/server-process.ts'
import { Writer } from './writer.ts'

/** How much. */
export interface KillOptions {
  readonly kills: number
  /** Clients that write at a time, each to objects of its own. */
  readonly writers: number
  /** The longest that a server lives under load, in ms. */
  readonly longestLife: number
  /** A number between 0 and 1, each time another. */
  readonly chance: () => number
}

/** What came of it. */
export interface KillResult {
  readonly kills: number
  /** Writes that were answered. */
  readonly answered: number
  /** Writes under way at a kill that took effect, and that did not. */
  readonly inDoubt: { readonly done: number; readonly undone: number }
  /** Answered writes that were not there after a start, each as a line. */
  readonly lost: readonly string[]
}

/** Runs it on a home of its own. */
export async function killUnderLoad({ kills, writers, longestLife, chance }: KillOptions): Promise<KillResult> {
  const home = mkdtempSync(join(tmpdir(), 'skystead-kills-'))
  const all = Array.from({ length: writers }, (_, index) => new Writer(`w${index}`))
  const lost: string[] = []
  try {
    for (let kill = 0; kill <= kills; kill++) {
      const server = await startServerProcess(home)
      for (const writer of all) lost.push(...(await writer.check(server.clients)))
      if (kill === kills || lost.length > 0) {
        await server.kill()
        break
      }
      const writing = all.map(writer => writer.write(server.clients))
      await new Promise(resolve => setTimeout(resolve, 20 + chance() * longestLife))
      await server.kill()
      await Promise.all(writing)
    }
  } finally {
    rmSync(home, { recursive: true })
  }
  const sum = (count: (writer: Writer) => number) => all.reduce((total, writer) => total + count(writer), 0)
  const inDoubt = { done: sum(writer => writer.doubtsDone), undone: sum(writer => writer.doubtsUndone) }
  return { kills, answered: sum(writer => writer.answered), inDoubt, lost }
}
