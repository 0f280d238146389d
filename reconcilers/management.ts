import type { ManagementMode } from '../crds/common.ts'
import { settingsOf } from './infrastructure/settings.ts'
import { defineDerived, type World } from './world.ts'

/** What Settings say of a kind whose objects do not say it themselves. By kind; told only when it changes. */
const managementDefault = defineDerived(
  'managementDefault',
  (kind, world): ManagementMode =>
    settingsOf(world).managementDefaults?.find(each => each.kind === kind)?.mode ?? 'Enforce',
)

/** What is done about differences of an object: as it says itself, else as Settings say for its kind, else Enforce. */
export function managementModeOf(
  self: { readonly kind: string; readonly spec?: unknown },
  world: World,
): ManagementMode {
  const { management } = (self.spec ?? {}) as { readonly management?: { readonly mode?: ManagementMode } }
  if (management === undefined) return 'Enforce'
  return management.mode ?? world.derived(managementDefault, self.kind)
}
