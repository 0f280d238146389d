import type { TestFn } from 'ava'
import { adoptionRules } from './conformance-adoption.ts'
import { connectionRules } from './conformance-connections.ts'
import { machineRules } from './conformance-machines.ts'
import { migrationRules, noMigrationRules } from './conformance-migration.ts'
import { powerRules } from './conformance-power.ts'
import { Rig, type Rule, type SetUp } from './conformance-rig.ts'
import { volumeRules } from './conformance-volumes.ts'

/** What a driver can do that others cannot: rules that do not concern it are not run. */
export interface Abilities {
  /** It migrates machines that run, to the fixture's `otherHost`. Default false: it refuses to. */
  readonly migrates?: boolean
}

/** Runs every rule of drivers/README.md on a driver. `setUp` makes a fresh world for each test. */
export function conformance(test: TestFn, name: string, setUp: SetUp, { migrates = false }: Abilities = {}): void {
  const rule: Rule = (title, run) => {
    test(`${name}: ${title}`, async t => {
      await using rig = new Rig(await setUp(t))
      await run(t, rig)
    })
  }
  machineRules(rule)
  volumeRules(rule)
  connectionRules(rule)
  powerRules(rule)
  if (migrates) migrationRules(rule)
  else noMigrationRules(rule)
  adoptionRules(rule)
}
