import { readFileSync } from 'node:fs'
import test from 'ava'
import {
  type ApplyConflict,
  conflictMessage,
  serverSideApply,
  updateManagedFields,
} from '../../../apiserver/apply/server-side-apply.ts'

// Taken from Kubernetes' own packages (apimachinery 0.32.4) for steps drawn at random; times left out.
const text = readFileSync(`${import.meta.dirname}/recorded-applies.jsonl`, 'utf8')
const [head = '', ...lines] = text.trimEnd().split('\n')
const schema = JSON.parse(head)

interface Entry {
  readonly manager: string
  readonly operation: string
  readonly time?: string
}

interface Stored {
  readonly metadata: { readonly managedFields?: readonly Entry[] }
}

/** Entries in an order of their own and without times, which were not recorded. */
function comparable(object: Stored): object {
  const entries = (object.metadata.managedFields ?? []).map(({ time: _, ...entry }) => entry)
  const order = (entry: Entry) => `${entry.operation} ${entry.manager}`
  const managedFields = entries.sort((a, b) => (order(a) < order(b) ? -1 : 1))
  return { ...object, metadata: { ...object.metadata, managedFields } }
}

function refusal(conflicts: readonly ApplyConflict[]) {
  const causes = conflicts.map(({ field, message }) => `${message}: ${field}`).sort()
  return { count: /^Apply failed with \d+ conflicts?: /.exec(conflictMessage(conflicts))?.[0], causes }
}

test('recorded applies and updates end as in Kubernetes 1.32, field owners included', t => {
  t.true(lines.length > 20)
  for (const line of lines) {
    const { steps, answers } = JSON.parse(line)
    let live: Stored | undefined
    for (const [index, step] of steps.entries()) {
      const answer = answers[index]
      const time = `2026-01-01T00:00:0${index}Z`
      const options = { live, manager: step.manager, apiVersion: 'g.dev/v1', time, schema }
      const place = `step ${index} of ${line}`
      if (step.op === 'apply') {
        const result = serverSideApply({ ...options, applied: step.object, force: step.force })
        if (!result.ok) {
          t.deepEqual(
            refusal(result.conflicts),
            {
              count: /^Apply failed with \d+ conflicts?: /.exec(answer.message)?.[0],
              causes: answer.conflicts
                .map((cause: { field: string; message: string }) => `${cause.message}: ${cause.field}`)
                .sort(),
            },
            place,
          )
          continue
        }
        live = result.object as Stored
      } else {
        const managedFields = live?.metadata.managedFields
        const metadata = {
          ...step.object.metadata,
          ...(live ? { uid: 'u' } : {}),
          ...(managedFields ? { managedFields } : {}),
        }
        live = updateManagedFields({ ...options, next: { ...step.object, metadata }, operation: 'Update' }) as Stored
      }
      live = { ...live, metadata: { ...live.metadata, uid: 'u' } } as Stored
      t.deepEqual(comparable(live), comparable(answer.object), place)
    }
  }
})
