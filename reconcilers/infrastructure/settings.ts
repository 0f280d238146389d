import { Host } from '../../crds/infrastructure/host.ts'
import { defaultSettings, Settings, type SettingsSpec } from '../../crds/infrastructure/settings.ts'
import { defineReconciler } from '../define-reconciler.ts'
import { satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, type Wish, type World } from '../world.ts'

/** Hosts by each of their tags. */
const hostsByTag = defineIndex(Host, 'hostsByTag', ({ spec }) => spec.tags)

/** What is decided once for the whole cloud: the Settings object `default`, or the schema's defaults without it. */
export function settingsOf(world: World): SettingsSpec {
  return world.desired.get(Settings, 'default')?.spec ?? defaultSettings
}

/** Told before the first host is lost, not after. */
function judgeRestartHosts({ spec: { restartHostTag } }: Wish<typeof Settings>, world: World): Verdict {
  if (restartHostTag === undefined) return satisfied('NoneReserved', 'No host is reserved for restarts')
  if (world.desired.list(hostsByTag, restartHostTag).length > 0) return satisfied('Present')
  return waiting(
    'NoRestartHost',
    `spec.restartHostTag: no host carries the tag "${restartHostTag}", so no machine of a lost host can start elsewhere: give it to a host (spec.tags), or take it out here`,
  )
}

/** Settings are read where they matter: all there is to do is to say what in them cannot work. */
export const settingsReconciler = defineReconciler(Settings, {
  phases: [{ condition: 'RestartHostsPresent', judge: judgeRestartHosts }],
})
