import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { Capability } from '../../drivers/contract/facts.ts'
import { networkOf } from '../network/machine-nics.ts'
import { networkPlan } from '../network/network-plan.ts'
import { abilityOf } from '../system/zone-capabilities.ts'
import { blocked, type Verdict } from '../verdict.ts'
import type { Wish, World } from '../world.ts'

type Machine = Wish<typeof VirtualMachine>

/** What a machine wishes that nothing carries out yet: it is refused by name, never left out silently. */
export function unsupported(machine: Machine, world: World): Verdict | undefined {
  const { nics, serviceOfferingName, sshKeyNames, userDataSecretName } = machine.spec
  if (userDataSecretName !== undefined) {
    return notYet('spec.userDataSecretName: data from a Secret is not handed over yet: use spec.userData')
  }
  if (sshKeyNames.length > 0)
    return notYet('spec.sshKeyNames: keys are not handed over yet: put them into spec.userData')
  const grouped = nics.find(({ securityGroupNames }) => (securityGroupNames ?? []).length > 0)
  if (grouped !== undefined) {
    return notYet(`spec.nics[${grouped.name}].securityGroupNames: there are no security groups yet: remove the field`)
  }
  const offering = world.desired.get(ServiceOffering, serviceOfferingName)?.spec
  const field = `spec.serviceOfferingName: ServiceOffering "${serviceOfferingName}" has`
  if (offering?.cpuCap === true) return notYet(`${field} cpuCap, which no driver keeps yet: choose another`)
  if ((offering?.networkRateMbps ?? 0) > 0) {
    return notYet(`${field} networkRateMbps, which no driver keeps yet: choose another`)
  }
  if (offering?.diskLimits !== undefined) {
    return notYet(`${field} diskLimits, which no driver keeps yet: choose another`)
  }
  if (offering !== undefined && offering.provisioningType !== 'Thin') {
    return notYet(`${field} provisioningType ${offering.provisioningType}; only Thin is there yet: choose another`)
  }
  return undefined
}

/** A capability, and the field that wants it. */
interface Need {
  readonly capability: Capability
  readonly field: string
}

/** What a machine's host must be able to do, each with the field that wants it. */
export function neededCapabilities(machine: Machine, world: World): readonly Need[] {
  const ofNICs = machine.spec.nics.flatMap((nic): readonly Need[] => {
    const isolation = world.derived(networkPlan, networkOf(machine, nic))?.isolation
    const field = `spec.nics[${nic.name}]`
    if (isolation === 'VLAN') return [{ capability: 'SegmentVLAN', field }]
    return isolation === 'VXLAN' ? [{ capability: 'SegmentVXLAN', field }] : []
  })
  if (machine.spec.userData === undefined) return ofNICs
  return [...ofNICs, { capability: 'UserData', field: 'spec.userData' }]
}

/** What no host of the machine's zone can do; undefined where one can, or where that is not known yet. */
export function lackingInZone(machine: Machine, world: World): Verdict | undefined {
  const { zoneName } = machine.spec
  for (const { capability, field } of neededCapabilities(machine, world)) {
    if (abilityOf(zoneName, capability, world) !== 'Lacking') continue
    return notYet(`${field}: no host of zone "${zoneName}" has the capability ${capability}`)
  }
  return undefined
}

function notYet(message: string): Verdict {
  return blocked('NotSupportedYet', message)
}
