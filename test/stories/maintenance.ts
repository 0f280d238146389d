/** What the stories of maintenance share. */
import type { Writable } from '../../controllers/api/client.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { AnyKind } from '../../crds/define-kind.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import { Cloud, quickstart } from './cloud.ts'
import { placesOf } from './incidents.ts'

/** A cloud whose machines are all on host-1; host-2 is open again. */
export async function cloudOnHostOne(...more: readonly (string | Writable)[]): Promise<Cloud> {
  const cloud = await Cloud.start()
  const cordoned = quickstart.replace('address: 172.16.10.102', 'address: 172.16.10.102\n  allocationState: Disabled')
  await cloud.apply(cordoned, ...more)
  await cloud.untilReady()
  await cloud.patch(Host, 'host-2', undefined, { allocationState: 'Enabled' })
  return cloud
}

/** Settings under which a migration of a small machine takes 43 seconds. */
export const slow = `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: Settings
metadata: {name: default}
spec: {expungeDelay: 0s, migrations: {bandwidthMbps: 100}}
`

/** A cloud in which web-1 runs on host-1 and is on its way to host-2. */
export async function cloudWhileMigrating(...more: readonly string[]): Promise<Cloud> {
  const cloud = await cloudOnHostOne(slow, ...more)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { placement: { hostName: 'host-2' } })
  await cloud.until(async () => placesOf(cloud, 'web-1').length === 2)
  return cloud
}

/** Lets time pass until no claim names two hosts any more. */
export async function untilNothingMoves(cloud: Cloud): Promise<void> {
  await cloud.until(async () => {
    const claims = await cloud.list(Allocation)
    return claims.every(({ spec }) => spec.machine?.targetHostName === undefined)
  }, 900_000)
}

/** A third host of the quickstart's cluster. */
export const thirdHost = `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: Host
metadata: {name: host-3}
spec:
  clusterName: cluster-1
  address: 172.16.10.103
  simulator: {cores: 16, clockMHz: 2400, memory: 64Gi}
  powerControl: {driver: Simulator}
`

/** A condition as `<status> <reason>`. */
export async function said(cloud: Cloud, kind: AnyKind, name: string, condition: string, namespace?: string) {
  const found = conditionOf((await cloud.get(kind, name, namespace)) as Resource, condition)
  return `${found?.status} ${found?.reason}`
}

/** A condition's message. */
export async function told(cloud: Cloud, kind: AnyKind, name: string, condition: string, namespace?: string) {
  return conditionOf((await cloud.get(kind, name, namespace)) as Resource, condition)?.message ?? ''
}

/** Lets time pass until the condition says so. */
export async function untilSaid(
  cloud: Cloud,
  kind: AnyKind,
  name: string,
  [condition, wish]: readonly [string, string],
  namespace?: string,
): Promise<void> {
  await cloud.until(
    async () => (await said(cloud, kind, name, condition, namespace)) === wish,
    600_000,
    async () =>
      `${await said(cloud, kind, name, condition, namespace)}: ${await told(cloud, kind, name, condition, namespace)}`,
  )
}

/** Lets time pass until the host says that it is safe to switch off. */
export async function untilEvacuated(cloud: Cloud, name: string): Promise<void> {
  await untilSaid(cloud, Host, name, ['Evacuated', 'True Evacuated'])
}

/** Names of what runs on a host, sorted. */
export function runningOn(cloud: Cloud, host: string): readonly string[] {
  return cloud.simulator.world
    .list()
    .machines.filter(each => each.host === host && each.facts.powerState === 'Running')
    .map(({ facts }) => facts.mark?.name ?? '')
    .toSorted()
}

/** What the control plane did since that entry of the simulator's journal that stopped or started a machine. */
export function interruptions(cloud: Cloud, since: number): readonly string[] {
  const verbs = ['StopMachine', 'StartMachine', 'DefineMachine', 'RemoveMachine']
  return cloud.simulator.world.journal
    .since(since)
    .filter(({ source, action, changed }) => source === 'Operation' && changed && verbs.includes(action))
    .map(({ action, identity }) => `${action} ${identity}`)
}
