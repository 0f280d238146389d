import { defaultSettings, Settings, type SettingsSpec } from '../../crds/infrastructure/settings.ts'
import { defineReconciler } from '../define-reconciler.ts'
import type { World } from '../world.ts'

/** What is decided once for the whole cloud: the Settings object `default`, or the schema's defaults without it. */
export function settingsOf(world: World): SettingsSpec {
  return world.desired.get(Settings, 'default')?.spec ?? defaultSettings
}

/** Settings are read where they matter: there is nothing to do for them. */
export const settingsReconciler = defineReconciler(Settings, { phases: [] })
