import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { backup } from '../../cli/backup.ts'
import { restore } from '../../cli/restore.ts'
import type { Writable } from '../../controllers/api/client.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { Condition } from '../../crds/meta.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { callControl } from '../../drivers/simulator/control-socket.ts'
import { run } from '../cli/command.ts'
import { notReady } from '../stories/cloud.ts'
import { SkysteadProcess, until } from './skystead-process.ts'
import { applyAll, doubles, everything, firstOf, leavesNothing } from './survival.ts'
import { cloudOf, deployment, networks } from './workload.ts'

const patience = 60_000
const namespace = 'tenant-1'

/** A deployment whose machine is to be on a host. */
function deployedAt(index: number, hostName: string): readonly Writable[] {
  const [machine, ...rest] = deployment(index, 1)
  if (machine === undefined) return rest
  const { spec } = machine as Writable & { readonly spec: object }
  const moved = { ...machine, spec: { ...spec, placement: { hostName } } } as Writable
  return [moved, ...rest]
}

test('a store that went back in time: what moved since is started nowhere else, what was made since is found, what was deleted is not made anew', async t => {
  t.timeout(400_000)
  const directory = await mkdtemp(join(tmpdir(), 'skystead-restored-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const file = join(directory, 'backup')
  await using skystead = await SkysteadProcess.make()
  await skystead.start()
  await applyAll(skystead.client, [...cloudOf(2), ...networks(1), ...deployment(0, 1), ...deployment(1, 1)])
  const allReady = async () => firstOf(notReady(await everything(skystead.client)))
  await until(allReady, patience)
  const whereIs = async (name: string) =>
    (await skystead.world()).machines.filter(({ facts }) => facts.mark?.name === name).map(({ host }) => host)
  const [before = ''] = await whereIs('vm-0')
  await backup(file, { home: skystead.home })

  // Since then one moves, one is deleted, one is new.
  const after = before === 'host-1' ? 'host-2' : 'host-1'
  await applyAll(skystead.client, [...deployedAt(0, after), ...deployment(2, 1)])
  for (const [kind, name] of [
    [VirtualMachine, 'vm-1'],
    [Volume, 'vm-1-data'],
  ] as const) {
    const object = await skystead.client.get(kind, name, namespace)
    if (object !== undefined) await skystead.client.remove(kind, object.metadata)
  }
  await until(async () => {
    const [moved, deleted] = [await whereIs('vm-0'), await whereIs('vm-1')]
    return moved.join() === after && deleted.length === 0 ? await allReady() : `vm-0 at ${moved}, vm-1 at ${deleted}`
  }, patience)
  const made = await whereIs('vm-2')
  await callControl(join(skystead.home, 'simulator.sock'), { action: 'cutOffHost', name: after })
  await skystead.stop()
  t.regex(await restore(file, { home: skystead.home, replace: true }), /get the place where they are found/)

  // Its claim of then says another host, where there is room: it would run twice.
  await skystead.start()
  const conditionsOf = async (name: string) =>
    (await skystead.client.get(VirtualMachine, name, namespace))?.status?.conditions ?? []
  const untilMachine = (name: string, type: string, holds: (condition: Condition) => boolean) =>
    until(async () => {
      const found = (await conditionsOf(name)).find(condition => condition.type === type)
      return found !== undefined && holds(found) ? undefined : `${name}: ${type} is ${JSON.stringify(found)}`
    }, patience)
  await until(async () => {
    const reasons = (await conditionsOf('vm-0')).map(({ reason }) => reason)
    return reasons.includes('HostsNotRead') ? undefined : `vm-0: ${reasons}`
  }, patience)
  t.deepEqual(await whereIs('vm-0'), [after])
  await callControl(join(skystead.home, 'simulator.sock'), { action: 'reviveHost', name: after })
  await untilMachine('vm-0', 'Ready', ({ status }) => status === 'True')
  t.deepEqual(await whereIs('vm-0'), [after])

  // What was deleted has a description again, and no disk: that is told, and nothing is made.
  await untilMachine('vm-1', 'Stalled', ({ status }) => status === 'True')
  t.deepEqual(await whereIs('vm-1'), [])

  // What was made since runs on; its manifest and a rebinding take it over.
  t.deepEqual(await whereIs('vm-2'), made)
  await applyAll(skystead.client, deployment(2, 1))
  await untilMachine('vm-2', 'Stalled', ({ reason }) => reason === 'IdentityConflict')
  const { out } = await run('adopt', '--rebind', '--yes', '--home', skystead.home)
  t.regex(out, /rebound {2}VirtualMachine/)
  await untilMachine('vm-2', 'Ready', ({ status }) => status === 'True')
  t.deepEqual(await whereIs('vm-2'), made)
  t.deepEqual(doubles(await skystead.world()), [])
  t.deepEqual(await skystead.violations(), [])
  await leavesNothing(t, skystead, patience)
  // That the host was silent is told; nothing failed.
  t.notRegex(skystead.complaints, /"level":"(error|fatal)"/)
})
