import { readDefinitions } from '../../controllers/install.ts'
import { mergedWorlds, type ObservedWorld } from '../../controllers/query/observed.ts'
import { explained, openApi } from '../api-access.ts'
import { realEnvironment } from '../environment.ts'
import { paintFor } from '../paint.ts'
import { askControllers } from '../query-client.ts'
import { projectPath } from '../repository.ts'
import { UserError } from '../user-error.ts'
import { readManifests } from './manifests.ts'
import { judgeOptionsOf, type PlanFormat, type PlanOptions } from './options.ts'
import { hasChanges, makePlan, type Plan } from './plan.ts'
import { planMarkdown } from './plan-markdown.ts'
import { planLines } from './plan-text.ts'
import { selectedManifests } from './prune.ts'

/** Shows what applying manifests would do. Exit code: 0 nothing, 2 something, 1 a manifest is refused or it cannot be told. */
export async function plan(options: PlanOptions): Promise<void> {
  const judging = judgeOptionsOf(options)
  const environment = realEnvironment()
  await using access = openApi(options, environment)
  const { kubeconfig } = access
  const fallback = kubeconfig.getContextObject(kubeconfig.getCurrentContext())?.namespace ?? 'default'
  const { namespace, selector } = options
  const choice = { fallback, ...(namespace === undefined ? {} : { required: namespace }) }
  const { objects, others } = await readManifests(options, choice)
  for (const other of others) process.stderr.write(`skystead: ${other} is not of Skystead and is left out\n`)
  const manifests = selector === undefined ? objects : selectedManifests(objects, selector)
  if (manifests.length === 0) throw new UserError(nothingFound(objects.length, options))
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
        manifests,
      },
      judging,
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

function nothingFound(read: number, { selector, filename = [], kustomize = '' }: PlanOptions): string {
  const where = [...filename, kustomize].filter(each => each !== '').join(', ')
  if (read > 0) return `Cannot plan: none of ${read} manifests in ${where} has the labels ${selector}`
  return `Cannot plan: there is no manifest of Skystead in ${where}`
}

function textOf(made: Plan, output: PlanFormat): string {
  if (output === 'json') return `${JSON.stringify(made, undefined, 2)}\n`
  if (output === 'markdown') return planMarkdown(made)
  return `${planLines(made, paintFor(process.stdout)).join('\n')}\n`
}
