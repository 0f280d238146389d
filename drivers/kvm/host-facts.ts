import type { HostFacts } from '../contract/facts.ts'
import type { DomainOptions } from './domain.ts'
import type { Libvirt } from './libvirt.ts'
import { parseXml } from './xml.ts'

/** Reads what a host is and can do. */
export async function readHostFacts(libvirt: Libvirt, signal: AbortSignal): Promise<HostFacts> {
  const [version, node] = await Promise.all([libvirt.version(signal), libvirt.nodeInfo(signal)])
  return {
    hypervisorVersion: `QEMU ${Math.floor(version / 1_000_000)}.${Math.floor(version / 1000) % 1000}.${version % 1000}`,
    cores: node.cpus,
    clockMHz: node.mhz,
    memoryBytes: node.memoryBytes,
    capabilities: ['MachineDefine', 'GracefulStop', 'LiveAttach'],
  }
}

/** The type of domain a host runs best: `kvm` where libvirt found the processor's help usable, else `qemu`. */
export function bestDomainType(capabilities: string): DomainOptions['type'] {
  const document = parseXml(capabilities, 'capabilities')
  const own = document.child('host')?.child('cpu')?.child('arch')?.text
  const usable = document.children('guest').some(guest => {
    const architecture = guest.child('arch')
    if (guest.child('os_type')?.text !== 'hvm' || architecture?.attribute('name') !== own) return false
    return architecture?.children('domain').some(domain => domain.attribute('type') === 'kvm') ?? false
  })
  return usable ? 'kvm' : 'qemu'
}
