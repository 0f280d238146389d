import { execFile } from 'node:child_process'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { projectPath } from '../../cli/repository.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { conditionOf } from '../../crds/meta.ts'
import type { WorldListing } from '../../drivers/simulator/world-listing.ts'
import { notReady } from '../stories/cloud.ts'
import { SkysteadProcess, until } from './skystead-process.ts'
import { applyAll, everything, firstOf, leavesNothing } from './survival.ts'
import { cloudOf, deployment, networks } from './workload.ts'

const run = promisify(execFile)
const machineCount = 8
const networkCount = 2
const patience = 30_000

/** Machines with their disks, addresses and segments, without what a claim's epoch says. */
function essence({ machines, volumes }: WorldListing) {
  const seen = machines.map(({ identity, host, facts: { mark, powerState, definition } }) => {
    const disks = definition.disks.map(disk => disk.identity)
    const nics = definition.nics.map(({ macAddress, addresses, segment }) => ({
      macAddress,
      addresses,
      id: segment.id,
    }))
    return { identity, host, name: mark?.name, powerState, disks, nics }
  })
  const byIdentity = (left: { identity: string }, right: { identity: string }) =>
    left.identity < right.identity ? -1 : 1
  return { machines: seen.toSorted(byIdentity), volumes: volumes.map(({ identity }) => identity).toSorted() }
}

test('objects.db lost and the same manifests again: IdentityConflict, no second machine; adopt --rebind mends it, with all addresses', async t => {
  t.timeout(120_000)
  const deployments = Array.from({ length: machineCount }, (_, index) => deployment(index, networkCount)).flat()
  const manifests = [...cloudOf(2), ...networks(networkCount), ...deployments]
  await using skystead = await SkysteadProcess.make()
  await skystead.start()
  await applyAll(skystead.client, manifests)
  const allReady = async () => firstOf(notReady(await everything(skystead.client)))
  await until(allReady, patience)
  const before = essence(await skystead.world())
  t.is(before.machines.length, machineCount + networkCount)

  await skystead.stop()
  const stored = (await readdir(skystead.home)).filter(name => name.startsWith('objects.db'))
  t.true(stored.length > 0)
  for (const name of stored) await rm(join(skystead.home, name))
  await skystead.start()
  await applyAll(skystead.client, manifests)
  await until(async () => {
    const { items } = await skystead.client.list(VirtualMachine)
    const calm = items.filter(machine => conditionOf(machine, 'Stalled')?.reason !== 'IdentityConflict')
    return firstOf(calm.map(({ metadata }) => `${metadata.name} tells no conflict`))
  }, patience)
  t.deepEqual(essence(await skystead.world()), before)

  const { stdout } = await run(process.execPath, [
    projectPath('cli/main.ts'),
    ...['adopt', '--rebind', '--yes', '--home', skystead.home],
  ])
  t.regex(stdout, /rebound {2}VirtualMachine/)
  await until(allReady, patience)
  t.deepEqual(essence(await skystead.world()), before)
  t.deepEqual(await skystead.violations(), [])
  await leavesNothing(t, skystead, patience)
  t.is(skystead.complaints, '')
})
