import { Volume } from '../../crds/storage/volume.ts'
import type { Mark, VolumeFacts } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import type { Claim } from '../claims.ts'
import { operate } from '../effect.ts'
import { isOurs, refusalToAdopt } from '../ownership.ts'
import { acting, type Verdict, waiting } from '../verdict.ts'
import type { Seen, Wish, World } from '../world.ts'

type VolumeWish = Wish<typeof Volume>

/** The mark that a volume's disk bears. */
export function volumeMark({ metadata: { name, namespace } }: VolumeWish, world: World): Mark {
  return {
    installation: world.installation,
    kind: Volume.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
  }
}

/** A disk without our mark is taken over where it lies, where an operator wishes so. Undefined: it is ours. */
export function judgeDiskAdoption(
  self: VolumeWish,
  claim: Claim,
  { endpoint, facts, current }: Seen<VolumeFacts>,
  world: World,
): Verdict | undefined {
  if (isOurs(facts, world)) return undefined
  const refusal = refusalToAdopt('Disk', facts, world)
  if (refusal !== undefined) return refusal
  if (!current) return waiting('PoolSilent', 'The primary storage of the disk does not answer')
  const { identity } = facts
  const args = { identity, epoch: claim.spec.epoch, mark: volumeMark(self, world) }
  const adoption = operation('AdoptVolume', { endpoint, identity }, args)
  return acting('Adopting', 'The disk is being taken over as it is', operate(adoption, [claim.metadata.name]))
}

/** A disk that is ours is left where it lies, without our mark. */
export function judgeDiskGivenBack(claim: Claim, { endpoint, facts }: Seen<VolumeFacts>): Verdict {
  const { identity } = facts
  const args = { identity, epoch: claim.spec.epoch }
  const claims = [claim.metadata.name]
  if (facts.trashedAt !== undefined) {
    const restore = operation('RestoreVolume', { endpoint, identity }, args)
    return acting('Restoring', 'The disk is being taken back from the trash', operate(restore, claims))
  }
  const release = operation('ReleaseVolume', { endpoint, identity }, args)
  return acting('GivingBack', 'The disk is being left where it is', operate(release, claims))
}
