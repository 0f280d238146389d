import { loadKubeConfig } from '../../controllers/api/kube-config.ts'
import { readDefinitions } from '../../controllers/install.ts'
import type { ObservedWorld } from '../../controllers/query/observed.ts'
import { type ApiOptions, explained, openApi } from '../api-access.ts'
import { realEnvironment } from '../environment.ts'
import { paintFor } from '../paint.ts'
import { askControllers } from '../query-client.ts'
import { projectPath } from '../repository.ts'
import { UserError } from '../user-error.ts'
import { readManifestFiles } from './manifests.ts'
import { hasChanges, makePlan, type Plan } from './plan.ts'
import { planMarkdown } from './plan-markdown.ts'
import { planLines } from './plan-text.ts'
import { mergedWorlds } from './present.ts'

/** How a plan is told: to a person, to a program, in the comment of a pull request. */
export type PlanFormat = 'text' | 'json' | 'markdown'

/** Options of `skystead plan`. */
export interface PlanOptions extends ApiOptions {
  /** Files and directories of manifests; `-`: standard input. */
  readonly filename: readonly string[]
  readonly output: PlanFormat
  /** Plan the deletion of the manifests' objects. */
  readonly delete: boolean
}

/** Shows what applying manifests would do. Exit code: 0 nothing, 2 something, 1 a manifest is refused or it cannot be told. */
export async function plan(options: PlanOptions): Promise<void> {
  const environment = realEnvironment()
  await using access = openApi(options, environment)
  const config = loadKubeConfig(access.kubeconfigPath)
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default'
  const { objects, others } = await readManifestFiles(options.filename, namespace)
  for (const other of others) process.stderr.write(`skystead: ${other} is not of Skystead and is left out\n`)
  try {
    const made = await makePlan(
      {
        client: access.client,
        observe: async () => {
          const world = mergedWorlds(await askControllers<ObservedWorld>(access, '/observed', environment))
          if (world === undefined) throw new UserError('Cannot plan: no controllers tell what they observe')
          return world
        },
        definitions: readDefinitions(projectPath('manifests/crds')),
        manifests: objects,
      },
      { delete: options.delete },
    )
    process.stdout.write(textOf(made, options.output))
    process.exitCode = exitCodeOf(made)
  } catch (error) {
    throw explained(error, access)
  }
}

/** 0: nothing would change, 2: something would, 1: the API refuses a manifest. */
export function exitCodeOf(made: Plan): 0 | 1 | 2 {
  if (made.refused.length > 0) return 1
  return hasChanges(made) ? 2 : 0
}

function textOf(made: Plan, output: PlanFormat): string {
  if (output === 'json') return `${JSON.stringify(made, undefined, 2)}\n`
  if (output === 'markdown') return planMarkdown(made)
  return `${planLines(made, paintFor(process.stdout)).join('\n')}\n`
}
