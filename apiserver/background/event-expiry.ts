/** Deletes events an hour after they last happened, as Kubernetes does. */

import type { Timer } from '../../crds/environment.ts'
import type { APIObject } from '../api-object.ts'
import { valueAt } from '../api-object.ts'
import { coreEvents, eventCollection } from '../kinds/event.ts'
import type { ServerContext } from '../scope.ts'
import { removeObject } from './change.ts'

/** Milliseconds that an event is kept. */
const lifetime = 60 * 60_000

/** Milliseconds between two looks at all events. */
const interval = 5 * 60_000

/** Deletes old events from time to time; the answer stops it. */
export function startEventExpiry(context: ServerContext): () => void {
  const { clock } = context.environment
  const schedule = (): Timer =>
    clock.after(interval, () => {
      timer = schedule()
      // What cannot be deleted now (the disk may be full) is tried again next time.
      expire(context).catch(() => {})
    })
  let timer = schedule()
  return () => timer.cancel()
}

async function expire(context: ServerContext): Promise<void> {
  const limit = context.environment.clock.now() - lifetime
  const entries = [...context.store.collection(eventCollection).entries.values()]
  const old = entries.filter(entry => lastSeen(entry.object) < limit)
  await Promise.all(
    old.map(({ key, uid }) => removeObject(context, coreEvents, key, { uid, propagation: 'Background' })),
  )
}

const times = [['lastTimestamp'], ['series', 'lastObservedTime'], ['eventTime'], ['metadata', 'creationTimestamp']]

function lastSeen(event: APIObject): number {
  return Math.max(0, ...times.map(path => Date.parse(String(valueAt(event, path)))).filter(Number.isFinite))
}
