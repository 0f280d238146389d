import { createInterface } from 'node:readline/promises'
import type { Environment } from '../crds/environment.ts'
import { sleep } from '../crds/environment.ts'
import { type ApiOptions, explained, openApi } from './api-access.ts'
import { columns } from './columns.ts'
import { realEnvironment } from './environment.ts'
import { findRebindings, type Obstacle, type Rebinding, rebind } from './rebinding.ts'
import { titleOf } from './standing.ts'
import { UserError } from './user-error.ts'

/** Options of `skystead adopt --rebind`. */
export interface AdoptOptions extends ApiOptions {
  readonly yes: boolean
}

/** How long the control plane may take to judge by new identities, in ms, and how often that is looked at. */
const patience = { most: 15_000, step: 250 }

/** Gives objects in IdentityConflict the identities that their namesakes outside have, after asking. */
export async function adopt(options: AdoptOptions): Promise<void> {
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
