import type { Managed } from '../../crds/common.ts'
import type { AnyKind } from '../../crds/define-kind.ts'
import { awaitedIdentity, identityAnnotation } from '../../reconcilers/claims.ts'
import type { Phase, Reference, Usage } from '../../reconcilers/define-reconciler.ts'
import { namesOf } from '../../reconcilers/names.ts'
import { satisfied, type Verdict, waiting } from '../../reconcilers/verdict.ts'
import type { Wish, World } from '../../reconcilers/world.ts'

/** How many users a message names. */

/** Everything that the spec refers to exists. What is missing heals by appearing. */
export function referencesResolved(references: (self: Wish<AnyKind>) => readonly Reference[]): Phase<AnyKind> {
  return {
    condition: 'ReferencesResolved',
    judge: (self, world) => {
      for (const { kind, name, namespace, field } of references(self)) {
        if (world.desired.get(kind, name, namespace) !== undefined) continue
        return waiting(`${kind.kind}NotFound`, `${kind.kind} "${name}" does not exist: create it, or change ${field}`)
      }
      return satisfied('Resolved')
    },
  }
}

/** Why nothing is done for an object yet that says which identity it is to have; undefined where it has it. */
export function identityNotGiven(self: Wish<AnyKind>, world: World): Verdict | undefined {
  const wished = awaitedIdentity(self, world)
  if (wished === undefined) return undefined
  return waiting(
    'IdentityNotGiven',
    `Annotation ${identityAnnotation} names ${wished}: apply the Allocation "identity-${wished}" that gives it to this object`,
  )
}

/** Why an object that was deleted is kept with everything it stands for; undefined where it may go. */
export function protectedFromDeletion({ spec }: Wish<AnyKind>): Verdict | undefined {
  const { protected: protection } = (spec ?? {}) as Partial<Managed>
  if (protection !== 'Enabled') return undefined
  return waiting('Protected', 'The deletion waits: spec.protected is Enabled. Set it to Disabled')
}

/** Nothing refers to it any more. */
export function inUse(usages: readonly Usage<AnyKind>[]): Phase<AnyKind> {
  return {
    condition: 'Unused',
    judge: (self, world) => {
      const users = usages.flatMap(({ index, value }) => world.desired.list(index, value(self)))
      if (users.length === 0) return satisfied('Unused')
      return waiting('InUse', `Cannot be deleted: used by ${namesOf(users.map(nameOf))}`)
    },
  }
}

function nameOf({ kind, metadata }: { kind: string; metadata: { name: string; namespace?: string } }): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`
}
