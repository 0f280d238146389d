import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Backup, BackupError, readBackup } from '../apiserver/backup/backup-format.ts'
import { writeStore } from '../apiserver/backup/store-backup.ts'
import { storeName } from '../apiserver/serving/home.ts'
import { makePrivateDirectory, syncDirectory, writeDurably } from '../apiserver/storage/durable-file.ts'
import { markPathOf, readMark } from '../apiserver/storage/high-water-mark.ts'
import { isLocked } from '../apiserver/storage/sqlite-log-reader.ts'
import { type Environment, timestamp } from '../crds/environment.ts'
import { type Distrust, distrust } from './distrust.ts'
import { realEnvironment } from './environment.ts'
import { companionFiles, isCompanionPath, putAside, unfinishedName, writeCompanions } from './home-files.ts'
import { UserError } from './user-error.ts'

/** The directory in a home in which the new store is made. */
const draftName = 'restoring'

/** Options of `skystead restore`. */
export interface RestoreOptions {
  readonly home: string
  /** Whether objects that are there may be put aside. */
  readonly replace: boolean
}

/**
 * Makes a home of a backup, and answers with what to tell. Everything is read and checked before anything is touched.
 * Throws one clear line where the backup is damaged, or the home is in use, not empty, or another installation's.
 */
export async function restore(file: string, options: RestoreOptions): Promise<string> {
  const environment = realEnvironment()
  const home = resolve(options.home)
  const backup = read(resolve(file))
  check(home, backup, options)
  makePrivateDirectory(home)
  const draft = join(home, draftName)
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  const { last } = writeStore(join(draft, storeName), backup, usedVersion(home))
  const found = await distrust(join(draft, storeName), environment)
  const files = readdirSync(draft).toSorted()
  // A home in between is refused by whoever starts in it, and can be restored again.
  writeDurably(join(home, unfinishedName), '')
  const aside = options.replace ? putAside(home, asideName(environment)) : undefined
  writeCompanions(home, backup.files)
  for (const name of files) renameSync(join(draft, name), join(home, name))
  syncDirectory(home)
  rmSync(draft, { recursive: true })
  rmSync(join(home, unfinishedName))
  syncDirectory(home)
  return told({ home, backup, last, aside, ...found })
}

function read(path: string): Backup {
  try {
    const backup = readBackup(readFileSync(path))
    const strange = [...backup.files.keys()].find(name => !isCompanionPath(name))
    if (strange !== undefined) throw new BackupError(`it holds a file "${strange}", which is none of a home`)
    return backup
  } catch (error) {
    throw new UserError(`Cannot restore ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function check(home: string, backup: Backup, { replace }: RestoreOptions): void {
  if (!existsSync(home)) return
  if (existsSync(join(home, storeName)) && isLocked(join(home, storeName))) {
    throw new UserError(`Cannot restore into ${home}: another skystead is running there; stop it first`)
  }
  const [first] = readdirSync(home).filter(name => name !== draftName && name !== unfinishedName)
  if (first === undefined) return
  if (!replace) {
    throw new UserError(
      `Cannot restore into ${home}: it is not empty (${first}); name an empty directory, or add --replace to put its objects aside`,
    )
  }
  const [own, theirs] = [companionFiles(home), backup.files].map(files =>
    files.get('installation-id')?.toString().trim(),
  )
  if (own !== undefined && own !== theirs) {
    throw new UserError(
      `Cannot restore into ${home}: its installation is ${own}, the backup is of ${theirs ?? 'none'}: what bears the mark of one is foreign to the other`,
    )
  }
}

/** How far versions were used in the home, as far as it can still tell. */
function usedVersion(home: string): number {
  try {
    return readMark(markPathOf(join(home, storeName))) ?? 0
  } catch {
    return 0
  }
}

function asideName({ clock }: Pick<Environment, 'clock'>): string {
  return `replaced-${timestamp(clock).replaceAll(':', '')}`
}

interface Outcome extends Distrust {
  readonly home: string
  readonly backup: Backup
  readonly last: number
  readonly aside: string | undefined
}

function told({ home, backup, last, aside, given, lostHosts }: Outcome): string {
  const lines = [
    `${backup.objects.length} objects of ${backup.createdAt} are in ${home}; the next version is ${last + 1}.`,
    `${given} machines and disks get the place where they are found: nothing starts before all hosts of its zone were read.`,
    ...(aside === undefined ? [] : [`What was there is in ${aside}.`]),
    ...(lostHosts.length === 0
      ? []
      : [`The backup calls these hosts off for good (lifecycle: Lost); see that they are: ${lostHosts.join(', ')}.`]),
  ]
  return `${lines.join('\n')}\n`
}
