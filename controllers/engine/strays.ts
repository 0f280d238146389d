import { Allocation, type AllocationSpec } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { machineClaimName } from '../../reconcilers/claims.ts'
import type { Executor } from '../observation/executor.ts'
import type { ObservedCache } from '../observation/observed-cache.ts'
import type { Observer } from '../observation/observer.ts'
import { type DesiredCache, objectKey } from './desired-cache.ts'
import { identityOf } from './world.ts'

/** What looking after strays works with. */
export interface StraysOptions {
  readonly installation: string
  readonly desired: Pick<DesiredCache, 'all' | 'get' | 'list'>
  readonly observed: Pick<ObservedCache, 'endpoint' | 'provenAbsent' | 'isReady' | 'machines'>
  readonly executor: Pick<Executor, 'submit'>
  readonly observer: Pick<Observer, 'listSoon'>
}

/** Looks after what lost hosts may still have defined of machines that left them. */
export interface Strays {
  /**
   * Whether a Stray has nothing left to tell: the host is proven to have nothing of the machine, the machine is back
   * there, what the host has bears no mark of ours (it was given back), or the host is no longer declared. Until then a definition that is off, of a machine that is no more, is
   * removed; that of one that lives is removed by its own reconciler.
   */
  isOver(stray: AllocationSpec, isOrphan: (stray: AllocationSpec) => Promise<boolean>): Promise<boolean>
}

/** Makes what looks after strays. */
export function createStrays({ installation, desired, observed, executor, observer }: StraysOptions): Strays {
  function isDeclared(hostIdentity: string): boolean {
    return [...desired.all(Host)].some(host => identityOf(desired, host) === hostIdentity)
  }

  return {
    async isOver(stray, isOrphan) {
      const { realm: hostIdentity = '', value: identity } = stray
      const endpoint = endpointKey('Host', hostIdentity)
      const claim = desired.get(Allocation, objectKey(machineClaimName(identity), undefined))
      const held = (claim?.spec as AllocationSpec | undefined)?.machine?.hostIdentity
      if (held === hostIdentity || !isDeclared(hostIdentity)) return true
      if (observed.endpoint(endpoint).answers === 'Yes' && observed.provenAbsent(identity, endpoint)) return true
      if (!observed.isReady(endpoint)) return false
      const here = observed.machines(identity).find(seen => seen.endpoint === endpoint)
      if (here === undefined) observer.listSoon(endpoint)
      else if (here.facts.mark?.installation !== installation) return true
      if (claim !== undefined || here?.facts.powerState !== 'Off' || !(await isOrphan(stray))) return false
      const { epoch } = here.facts
      const { kind, namespace, name, uid } = stray.holder
      const requester = { kind, namespace, name, uid, generation: 0 }
      executor.submit(operation('RemoveMachine', { endpoint, identity }, { identity, epoch }), requester)
      return false
    },
  }
}
