import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { stringify } from 'yaml'
import type { Environment } from '../crds/environment.ts'
import { sleep, timestamp } from '../crds/environment.ts'
import { type Adoption, adoptionOf } from './adoption.ts'
import type { Document } from './adoption-parts.ts'
import { type ApiOptions, explained, openApi } from './api-access.ts'
import { readCloud } from './cloud.ts'
import { columns } from './columns.ts'
import { realEnvironment } from './environment.ts'
import { askInventory } from './inventory.ts'
import { findRebindings, type Obstacle, type Rebinding, rebind } from './rebinding.ts'
import { titleOf } from './standing.ts'
import { UserError } from './user-error.ts'

/** Options of `skystead adopt`. */
export interface AdoptOptions extends ApiOptions {
  /** Gives objects in IdentityConflict their namesakes' identities, instead of describing machines. */
  readonly rebind?: boolean
  readonly yes: boolean
  /** Where the described machines are to be. */
  readonly namespace?: string
  readonly host?: string
  readonly machine?: readonly string[]
  /** Where files are written; left out: everything goes to standard output. */
  readonly directory?: string
}

/** How long the control plane may take to judge by new identities, in ms, and how often that is looked at. */
const patience = { most: 15_000, step: 250 }

/** Describes machines that run without us, or gives objects in IdentityConflict their namesakes' identities. */
export async function adopt(options: AdoptOptions): Promise<void> {
  return options.rebind === true ? await rebindAll(options) : await describe(options)
}

/** Writes the manifests by which machines are taken over as they are. Nothing is changed. */
async function describe({ namespace, host, machine, directory, ...options }: AdoptOptions): Promise<void> {
  if (namespace === undefined) {
    throw new UserError(
      'Cannot describe machines: name the namespace of their objects with --namespace (or give --rebind)',
    )
  }
  const environment = realEnvironment()
  await using access = openApi(options, environment)
  try {
    // The disks of a host's machines lie in storages: everything is asked for.
    const everything = await askInventory(access, {}, environment)
    const places = everything.places.filter(place => place.type !== 'Host' || host === undefined || place.name === host)
    const cloud = await readCloud(access.client)
    const wish = {
      namespace,
      now: timestamp(environment.clock),
      ...(machine === undefined ? {} : { machines: machine }),
    }
    const { files, refused } = adoptionOf({ ...everything, places }, cloud, wish)
    for (const each of refused) {
      process.stderr.write(`not described  machine ${each.machine} on host ${each.host}: ${each.reason}\n`)
    }
    if (files.length === 0 && refused.length === 0) process.stderr.write('There is no machine to take over.\n')
    if (directory === undefined)
      tell(
        files
          .flatMap(({ documents }) => documents.map(asYAML))
          .join('---\n')
          .trimEnd(),
      )
    else writeFiles(directory, files)
    if (refused.length > 0)
      throw new UserError(`Cannot describe every machine: ${refused.length} must be seen to as told above`)
  } catch (error) {
    throw explained(error, access)
  }
}

function writeFiles(directory: string, files: Adoption['files']): void {
  mkdirSync(directory, { recursive: true })
  for (const { name, documents } of files) {
    const path = join(directory, `${name}.yaml`)
    writeFileSync(path, documents.map(asYAML).join('---\n'))
    tell(path)
  }
}

function asYAML(document: Document): string {
  return stringify(document, { lineWidth: 0 })
}

/** Gives objects in IdentityConflict the identities that their namesakes outside have, after asking. */
async function rebindAll(options: AdoptOptions): Promise<void> {
  const environment = realEnvironment()
  await using access = openApi(options, environment)
  try {
    const done = new Set<string>()
    for (;;) {
      const { rebindings, obstacles } = await pending(access.client, done, environment)
      // A machine tells its own conflict only once those of its disks are mended: there may be several rounds.
      const fresh = rebindings.filter(({ identity }) => !done.has(identity))
      if (fresh.length === 0) return conclude(done, rebindings, obstacles)
      tellPlan(fresh)
      if (!(await agreed(options))) return tell(done.size === 0 ? 'Nothing was changed.' : 'Nothing more was changed.')
      for (const rebinding of fresh) {
        await rebind(access.client, rebinding, environment)
        done.add(rebinding.identity)
        tell(`rebound  ${titleOf(rebinding.object)}  to ${rebinding.identity}`)
      }
    }
  } catch (error) {
    throw explained(error, access)
  }
}

/** What is to be done now: nothing yet while objects still show the conflicts of the round before. */
async function pending(
  client: Parameters<typeof findRebindings>[0],
  done: ReadonlySet<string>,
  environment: Environment,
) {
  const end = environment.clock.monotonic() + patience.most
  for (;;) {
    const found = await findRebindings(client)
    if (found.told.isDisjointFrom(done) || environment.clock.monotonic() > end) return found
    await sleep(environment.clock, patience.step)
  }
}

function conclude(done: ReadonlySet<string>, left: readonly Rebinding[], obstacles: readonly Obstacle[]): void {
  if (left.length > 0) {
    tell(`The control plane has not taken up ${left.length} of them yet; "skystead status" tells when it has.`)
  } else if (done.size === 0 && obstacles.length === 0) {
    tell('No object is in IdentityConflict: there is nothing to rebind.')
  }
  for (const { object, message } of obstacles) tell(`not rebound  ${titleOf(object)}  ${message}`)
  if (obstacles.length > 0) {
    throw new UserError(`Cannot rebind every object: ${obstacles.length} must be mended as told above`)
  }
}

function tellPlan(rebindings: readonly Rebinding[]): void {
  const rows = rebindings.map(rebinding => [titleOf(rebinding.object), rebinding.identity])
  tell(
    ['These objects get the identity of their namesake outside:', ...columns(['object', 'identity'], rows)].join('\n'),
  )
}

async function agreed({ yes }: AdoptOptions): Promise<boolean> {
  if (yes) return true
  if (process.stdin.isTTY !== true) {
    throw new UserError('Cannot ask whether to go on: standard input is no terminal; add --yes')
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await terminal.question('Go on? [y/N] ')).trim())
  } finally {
    terminal.close()
  }
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}
