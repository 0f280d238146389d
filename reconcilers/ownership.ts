import type { Mark } from '../drivers/contract/facts.ts'
import { allocationName, isGiven } from './claims.ts'
import { blocked, type Verdict } from './verdict.ts'
import type { World } from './world.ts'

/** Whether a thing outside bears this installation's mark. */
export function isOurs({ mark }: { readonly mark?: Mark }, world: World): boolean {
  return mark?.installation === world.installation
}

/**
 * Why what is outside may not be taken over: it is another installation's, or nobody has wished for it. That an
 * Allocation gives the identity is the operator's wish. Undefined: it may.
 */
export function refusalToAdopt(
  what: string,
  facts: { readonly identity: string; readonly mark?: Mark },
  world: World,
): Verdict | undefined {
  const { identity, mark } = facts
  if (mark !== undefined) {
    return blocked(
      'NotOurs',
      `${what} ${identity} bears the mark of installation "${mark.installation}" (${mark.kind} ${mark.name}): have it released there first`,
    )
  }
  if (isGiven(identity, world)) return undefined
  return blocked(
    'NotOurs',
    `${what} ${identity} exists and bears no mark: it is taken over where an Allocation "${allocationName('Identity', identity)}" names this object`,
  )
}
