import { finalizerOf } from '../../crds/finalizer.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import type { ObjectMeta } from '../../crds/meta.ts'
import { create, remove } from '../effect.ts'
import { hashOf } from '../identity.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { isStored, type World } from '../world.ts'
import { routersByNetwork } from './applied-document.ts'
import { type NetworkKey, networkKey, networkPlan, networkRefOf } from './network-plan.ts'
import { routerLacking } from './router-ability.ts'

/**
 * The name of a network's router. It follows from the network's own name, not from its uid: after a loss of the API's
 * storage the router that runs is known again, instead of being doubled.
 */
export function routerName({ metadata }: { readonly metadata: Pick<ObjectMeta, 'namespace' | 'name'> }): string {
  const { name, namespace } = metadata
  const hash = hashOf([namespace ?? '', name]).slice(0, 8)
  return `r-${hash}-${name.slice(0, 50)}`.replace(/[-.]+$/, '')
}

/** Whether a network has its router: made when the network is used and its offering wants one, and up. */
export function judgeRouter(
  key: NetworkKey,
  network: { readonly metadata: Pick<ObjectMeta, 'namespace' | 'name'> },
  used: boolean,
  world: World,
): Verdict {
  const plan = world.derived(networkPlan, key)
  if (plan === undefined) return waiting('OfferingNotFound', 'The offering or the zone is missing')
  const routers = world.desired.list(routersByNetwork, key)
  if (!plan.routed) return retire(routers) ?? satisfied('NotNeeded')
  if (!used) return retire(routers) ?? satisfied('Idle', 'Nothing uses the network yet', { summary: true })
  const lacking = routerLacking(plan, world)
  if (lacking !== undefined && routers.length === 0) return lacking
  const name = routerName(network)
  const router = world.desired.get(VirtualRouter, name)
  if (router === undefined) {
    return acting('Creating', `Creating VirtualRouter "${name}"`, create(routerOf(key, name, plan.zoneName)))
  }
  const { networkRef } = router.spec
  if (networkKey(networkRef.kind, networkRef.name, networkRef.namespace) !== key) {
    return blocked('NameTaken', `VirtualRouter "${name}" serves another network`)
  }
  const ready = world.desired.status(VirtualRouter, name, undefined, status =>
    status.conditions?.find(({ type }) => type === 'Ready'),
  )
  if (ready?.status === 'True') return satisfied('Serving')
  return waiting('RouterNotReady', `VirtualRouter "${name}": ${ready?.message || ready?.reason || 'not reported yet'}`)
}

function retire(
  routers: readonly { readonly metadata: ObjectMeta; readonly apiVersion: string; readonly kind: string }[],
) {
  const leaving = routers.filter(router => isStored(router) && router.metadata.deletionTimestamp === undefined)
  if (leaving.length === 0) return undefined
  return acting('Removing', 'The router is no longer needed', ...leaving.map(remove))
}

function routerOf(key: NetworkKey, name: string, zoneName: string) {
  const { kind, namespace, name: networkName } = networkRefOf(key)
  const networkRef = { kind, name: networkName, ...(kind === 'Network' ? { namespace } : {}) }
  return {
    apiVersion: VirtualRouter.apiVersion,
    kind: VirtualRouter.kind,
    metadata: { name, finalizers: [finalizerOf(VirtualRouter)] },
    spec: { zoneName, networkRef },
  }
}
