/** Manifests that stories write again and again. */
import { Host } from '../../crds/infrastructure/host.ts'

/** What may be otherwise than the quickstart's machines have it. */
interface MachineParts {
  /** Default `small`. */
  readonly serviceOfferingName?: string
  /** Further lines of its spec. */
  readonly more?: string
}

/** A machine of namespace `shop`. */
export function machine(name: string, { serviceOfferingName = 'small', more = '' }: MachineParts = {}): string {
  return `
apiVersion: compute.skystead.dev/v1alpha1
kind: VirtualMachine
metadata: {name: ${name}, namespace: shop}
spec:
  zoneName: zone-a
  serviceOfferingName: ${serviceOfferingName}
  templateRef: {kind: PublicTemplate, name: tiny-linux}
  nics: [{name: web, networkName: web}]
${more}`
}

/** What a simulated host has. */
interface HostSize {
  readonly cores: number
  readonly memory: string
}

/** A host of the quickstart's cluster, with a power controller. */
export function simulatedHost(name: string, address: string, size: HostSize) {
  return {
    apiVersion: Host.apiVersion,
    kind: Host.kind,
    metadata: { name },
    spec: {
      clusterName: 'cluster-1',
      address,
      simulator: { clockMHz: 4000, ...size },
      powerControl: { driver: 'Simulator' },
    },
  }
}
