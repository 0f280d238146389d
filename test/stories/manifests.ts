/** Manifests that stories write again and again. */

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
