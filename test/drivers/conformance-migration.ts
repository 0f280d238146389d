import type { ExecutionContext } from 'ava'
import type { Endpoint } from '../../drivers/contract/endpoint.ts'
import type { Operation } from '../../drivers/contract/operation.ts'
import { type Rig, type Rule, refused } from './conformance-rig.ts'

/** The rule about machines that run where the driver migrates none. */
export function noMigrationRules(rule: Rule): void {
  rule('rule 22: a driver that migrates no machine refuses to', async (t, rig) => {
    const identity = rig.identity()
    await rig.perform(rig.define(identity))
    await refused(t, rig.perform(migrate(rig, identity, rig.fixture.host)), 'Unsupported')
    await refused(t, rig.perform(cancel(rig, identity)), 'Unsupported')
    t.is((await rig.machine(identity))?.powerState, 'Off')
  })
}

/** The rules about machines that move to another host while they run. */
export function migrationRules(rule: Rule): void {
  migrating(
    rule,
    'rule 32: a migration begins, shows where it goes, and ends on the target alone',
    async (t, rig, to) => {
      const identity = rig.identity()
      const before = await rig.perform(rig.define(identity, { power: 'Running' }))
      const begun = await rig.perform(migrate(rig, identity, to), { ...rig.options(), operationId: 'migration-1' })
      t.like(begun, { powerState: 'Running', epoch: 2, migratingTo: to.key })
      const there = await rig.eventually(
        () => rig.machine(identity, rig.other),
        found => found?.powerState === 'Running',
      )
      t.deepEqual(there, { ...before, epoch: 2 })
      t.is(await rig.machine(identity), undefined)
    },
  )

  migrating(
    rule,
    'rule 32, rule 2: while it lasts it is a job, its target is Incoming, and asking again changes nothing',
    async (t, rig, to) => {
      const identity = rig.identity()
      await rig.perform(
        rig.define(identity, { power: 'Running', definition: rig.definition({ memoryBytes: 8 * 2 ** 30 }) }),
      )
      await rig.perform(migrate(rig, identity, to), { ...rig.options(), operationId: 'migration-1' })
      const listing = await rig.hostListing()
      if (listing.jobs.length === 0) return t.is((await rig.machine(identity, rig.other))?.powerState, 'Running')
      t.like(listing.jobs, [{ operationId: 'migration-1', targets: [identity] }])
      t.like(await rig.machine(identity, rig.other), { powerState: 'Incoming', epoch: 2 })
      await rig.perform(migrate(rig, identity, to)).catch(() => undefined)
      const wish = { ...rig.define(identity, { epoch: 2, power: 'Running' }), endpoint: to.key }
      await refused(t, rig.other.perform(wish, rig.options()), 'FailedPrecondition')
      await rig.eventually(
        () => rig.machine(identity, rig.other),
        found => found?.powerState === 'Running',
      )
      t.is(await rig.machine(identity), undefined)
      t.deepEqual((await rig.hostListing()).jobs, [])
    },
  )

  migrating(rule, 'rule 32: what does not run is not migrated, nor what the target has already', async (t, rig, to) => {
    const identity = rig.identity()
    const off = await rig.perform(rig.define(identity))
    await refused(t, rig.perform(migrate(rig, identity, to)), 'FailedPrecondition')
    t.deepEqual(await rig.machine(identity), off)
    await rig.perform(rig.onHost('StartMachine', identity, { identity, epoch: 1 }))
    await rig.other.perform({ ...rig.define(identity), endpoint: to.key }, rig.options())
    await refused(t, rig.perform(migrate(rig, identity, to)), 'AlreadyExists')
    t.is((await rig.machine(identity))?.powerState, 'Running')
    const missing = rig.identity()
    await refused(t, rig.perform(migrate(rig, missing, to)), 'NotFound')
  })

  migrating(
    rule,
    'rule 33: a migration that is cancelled leaves the machine as it was, and no older one begins',
    async (t, rig, to) => {
      const identity = rig.identity()
      const definition = rig.definition({ memoryBytes: 8 * 2 ** 30 })
      await rig.perform(rig.define(identity, { power: 'Running', definition }))
      const late = migrate(rig, identity, to)
      await rig.perform(late)
      const answer = await rig.perform(cancel(rig, identity))
      if (answer === undefined) return t.is((await rig.machine(identity, rig.other))?.powerState, 'Running')
      t.like(answer, { powerState: 'Running', epoch: 3 })
      t.false('migratingTo' in answer)
      t.deepEqual(await rig.machine(identity), answer)
      t.is(await rig.machine(identity, rig.other), undefined)
      await refused(t, rig.perform(late), 'StaleEpoch')
      t.deepEqual(await rig.perform(cancel(rig, identity)), answer)
      const missing = rig.identity()
      t.is(await rig.perform(cancel(rig, missing)), undefined)
    },
  )

  migrating(
    rule,
    'rule 33: a machine that is stopped while it migrates is off at the source and nowhere else',
    async (t, rig, to) => {
      const identity = rig.identity()
      const definition = rig.definition({ memoryBytes: 8 * 2 ** 30 })
      await rig.perform(rig.define(identity, { power: 'Running', definition }))
      await rig.perform(migrate(rig, identity, to))
      const stopped = await rig.perform(rig.onHost('StopMachine', identity, { identity, epoch: 2, mode: 'Forced' }))
      if (stopped === undefined) return t.is((await rig.machine(identity, rig.other))?.powerState, 'Running')
      t.like(stopped, { powerState: 'Off', stopCause: 'Forced' })
      t.is(await rig.machine(identity, rig.other), undefined)
      t.deepEqual((await rig.hostListing()).jobs, [])
    },
  )
}

function migrating(
  rule: Rule,
  title: string,
  run: (t: ExecutionContext, rig: Rig, to: Endpoint) => Promise<unknown>,
): void {
  rule(title, async (t, rig) => {
    const { otherHost } = rig.fixture
    if (otherHost === undefined) throw new Error('Cannot migrate: the fixture has no other host')
    const { host } = await rig.hostListing()
    t.true(host.capabilities.includes('LiveMigration'))
    await run(t, rig, otherHost)
  })
}

function migrate(rig: Rig, identity: string, { key: target }: Endpoint): Operation<'MigrateMachine'> {
  return rig.onHost('MigrateMachine', identity, { identity, epoch: 2, target })
}

function cancel(rig: Rig, identity: string): Operation<'CancelMigration'> {
  return rig.onHost('CancelMigration', identity, { identity, epoch: 3 })
}
