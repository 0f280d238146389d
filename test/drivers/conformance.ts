import type { TestFn } from 'ava'
import { adoptionRules } from './conformance-adoption.ts'
import { connectionRules } from './conformance-connections.ts'
import { machineRules } from './conformance-machines.ts'
import { migrationRules } from './conformance-migration.ts'
import { powerRules } from './conformance-power.ts'
import { Rig, type Rule, type SetUp } from './conformance-rig.ts'
import { volumeRules } from './conformance-volumes.ts'

/** Runs every rule of drivers/README.md on a driver. `setUp` makes a fresh world for each test. */
export function conformance(test: TestFn, name: string, setUp: SetUp): void {
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
  migrationRules(rule)
  adoptionRules(rule)
}
