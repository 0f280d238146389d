import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../../crds/infrastructure/host-pod.ts'
import type { SystemVM } from '../../crds/infrastructure/system-vm.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { addressFromNumber, addressKey, hostRangeOf, parseRange } from '../../crds/invariants/addresses.ts'
import { contains } from '../../crds/invariants/number-range.ts'
import { allocate, allocationName, allocationsByHolder, type Claim, holderOf, machineClaim } from '../claims.ts'
import { remove } from '../effect.ts'
import { freeValue } from '../network/free-value.ts'
import { judgePublicAddress } from '../network/public-addresses.ts'
import { acting, satisfied, type Verdict, waiting } from '../verdict.ts'
import type { Wish, World } from '../world.ts'
import { seenAtHome } from './appliance.ts'

type System = Wish<typeof SystemVM>

/** The management address of a system VM: of the pod in which its host is. */
export function managementAddressOf(self: System, world: World): string | undefined {
  const pod = podOf(self, world)
  return pod && heldIn(self, world).find(({ spec }) => spec.realm === pod.metadata.uid)?.spec.value
}

/** Whether a system VM holds its two addresses: one of its pod's system range, one of the zone's public ranges (SYS-024). */
export function judgeSystemAddresses(self: System, world: World): Verdict {
  const pod = podOf(self, world)
  const zone = world.desired.get(Zone, self.spec.zoneName)
  if (zone === undefined) return waiting('ZoneNotFound', `Zone "${self.spec.zoneName}" does not exist`)
  if (pod === undefined) return waiting('NotScheduled', 'Its pod is known when it has a place on a host')
  const management = judgeManagementAddress(self, pod, world)
  if (management.is !== 'satisfied') return management
  const open = judgePublicAddress(
    {
      holder: holderOf(self),
      zoneName: self.spec.zoneName,
      zoneUID: zone.metadata.uid,
    },
    world,
  )
  return open.is === 'satisfied' ? (releaseOthers(self, pod, world) ?? satisfied('Allocated')) : open
}

function judgeManagementAddress(self: System, pod: Wish<typeof HostPod>, world: World): Verdict {
  const { cidr, gateway, systemIPRanges } = pod.spec
  const realm = pod.metadata.uid
  const held = heldIn(self, world).find(({ spec }) => spec.realm === realm)
  if (held !== undefined) return satisfied('Allocated', held.spec.value)
  const pool = systemIPRanges.map(({ addresses }) => parseRange(addresses))
  const value = freeValue(pool, world.identity(self), number => {
    const address = addressFromNumber(number)
    if (address === gateway || !contains(hostRangeOf(cidr), number)) return true
    return world.desired.exists(Allocation, allocationName('SystemIP', addressKey(address), realm))
  })
  if (value === undefined) {
    const message = `HostPod "${pod.metadata.name}" has no free system address: add to its spec.systemIPRanges`
    return waiting('AddressesExhausted', message, { recheck: 60_000 })
  }
  const address = addressFromNumber(value)
  const claim = allocate({ type: 'SystemIP', realm, value: addressKey(address), holder: holderOf(self) }, world)
  return acting('Allocating', `Taking ${address}`, claim)
}

/** Addresses of pods that it has left go back when it is no longer seen with them. */
function releaseOthers(self: System, pod: Wish<typeof HostPod>, world: World): Verdict | undefined {
  const nics = seenAtHome(world.identity(self), world)?.facts.definition.nics ?? []
  const used = new Set(nics.flatMap(({ addresses }) => addresses))
  const spare = heldIn(self, world).filter(({ spec }) => spec.realm !== pod.metadata.uid && !used.has(spec.value))
  return spare.length === 0 ? undefined : acting('Releasing', 'Giving back addresses', ...spare.map(remove))
}

function heldIn(self: System, world: World): readonly Claim[] {
  return world.desired.list(allocationsByHolder, self.metadata.uid).filter(({ spec }) => spec.type === 'SystemIP')
}

function podOf(self: System, world: World): Wish<typeof HostPod> | undefined {
  const hostName = machineClaim(world.identity(self), world)?.spec.machine?.hostName
  const host = hostName === undefined ? undefined : world.desired.get(Host, hostName)
  const cluster = host && world.desired.get(HostCluster, host.spec.clusterName)
  return cluster && world.desired.get(HostPod, cluster.spec.podName)
}
