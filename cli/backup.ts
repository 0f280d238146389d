import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Backup, encodeBackup, readBackup } from '../apiserver/backup/backup-format.ts'
import { backupPath, readStoppedStore } from '../apiserver/backup/store-backup.ts'
import { storeName } from '../apiserver/serving/home.ts'
import { syncDirectory } from '../apiserver/storage/durable-file.ts'
import { StorageError } from '../apiserver/storage/durable-log.ts'
import { apiErrorOf } from '../controllers/api/api-error.ts'
import { kubernetesTransport } from '../controllers/api/kubernetes-transport.ts'
import { type Environment, timestamp } from '../crds/environment.ts'
import { realEnvironment } from './environment.ts'
import { companionFiles } from './home-files.ts'
import { UserError } from './user-error.ts'

/** Options of `skystead backup`. */
export interface BackupOptions {
  readonly home: string
}

/**
 * Writes the state of a home into a file, readable by its owner only, whether `skystead up` runs there or not, and reads
 * it back. Answers with what to tell. Throws one clear line where there is nothing to back up, or the file cannot be made.
 */
export async function backup(file: string, options: BackupOptions): Promise<string> {
  const environment = realEnvironment()
  const home = resolve(options.home)
  const path = resolve(file)
  if (!existsSync(join(home, storeName))) throw new UserError(`Cannot back up ${home}: it holds no ${storeName}`)
  if (existsSync(path)) throw new UserError(`Cannot write ${path}: it exists; name a file that does not`)
  const state = await stateOf(home, environment)
  const pieces = encodeBackup(state, companionFiles(home), state.objects)
  // Nobody else's: what goes wrong removes it again.
  const draft = `${path}.${environment.random.uuid().slice(0, 8)}.new`
  try {
    writePieces(draft, pieces)
    // What is on the disk is what counts.
    readBackup(readFileSync(draft))
    renameSync(draft, path)
    syncDirectory(dirname(path))
  } catch (error) {
    rmSync(draft, { force: true })
    throw new UserError(`Cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return (
    `${state.objects.length} objects, as they were after version ${state.last}, are in ${path}.\n` +
    `It holds all secrets and keys of this cloud: keep it as you keep those.\n`
  )
}

type State = Pick<Backup, 'createdAt' | 'last' | 'objects'>

/** From the log where nobody writes it, else from the server that does. */
async function stateOf(home: string, environment: Environment): Promise<State> {
  try {
    return { createdAt: timestamp(environment.clock), ...readStoppedStore(join(home, storeName)) }
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'Locked') throw error
  }
  return askServer(join(home, 'kubeconfig'), environment)
}

async function askServer(kubeconfig: string, environment: Environment): Promise<State> {
  const transport = kubernetesTransport({ kubeconfig, environment })
  try {
    const { status, headers, body } = await transport.request({ method: 'GET', path: backupPath })
    if (status !== 200) throw apiErrorOf(status, JSON.parse(Buffer.from(body).toString()), headers)
    return readBackup(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
  } finally {
    await transport.close()
  }
}

function writePieces(path: string, pieces: Iterable<Buffer>): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    for (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
