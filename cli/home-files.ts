import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { storeName } from '../apiserver/serving/home.ts'
import { makePrivateDirectory, syncDirectory, writeDurably } from '../apiserver/storage/durable-file.ts'

/** Is in a home while a backup is put into it: what is there is neither the old state nor the new one. */
export const unfinishedName = 'restore-unfinished'

/**
 * Files of a home that go with its objects, by their paths: keys, the installation's id, what the first start has done.
 * Not the records, which are history, and not the simulated world, which is no state of ours.
 */
export function companionFiles(home: string): ReadonlyMap<string, Buffer> {
  const keys = existsSync(join(home, 'pki')) ? readdirSync(join(home, 'pki')).map(name => join('pki', name)) : []
  const paths = [...keys, ...readdirSync(home).filter(name => isCompanion(name))].filter(isFinished)
  return new Map(paths.map(path => [path, readFileSync(join(home, path))]))
}

/** Puts files into a home, readable by their owner only. */
export function writeCompanions(home: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [path, content] of files) {
    makePrivateDirectory(join(home, dirname(path)))
    writeDurably(join(home, path), content)
  }
}

/** Moves the objects of a home and what goes with them into a directory of it; answers with its path. */
export function putAside(home: string, name: string): string {
  const aside = join(home, name)
  mkdirSync(aside, { mode: 0o700 })
  for (const entry of readdirSync(home)) {
    if (entry === 'pki' || isCompanion(entry) || entry.startsWith(storeName)) {
      renameSync(join(home, entry), join(aside, entry))
    }
  }
  syncDirectory(aside)
  syncDirectory(home)
  return aside
}

/** Whether a path of a backup is one of these files, so that nothing is written anywhere else. */
export function isCompanionPath(path: string): boolean {
  return isCompanion(path) || /^pki\/[a-z]+(\.[a-z]+)?$/.test(path)
}

function isCompanion(name: string): boolean {
  return name === 'installation-id' || /^[a-z-]+-applied$/.test(name)
}

function isFinished(path: string): boolean {
  return isCompanionPath(path) && !path.endsWith('.new')
}
