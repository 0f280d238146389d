import { PublicTemplate } from '../../crds/compute/public-template.ts'
import { formatQuantity } from '../../crds/invariants/quantity.ts'
import type { ImageFacts } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { machinesByTemplate } from '../compute/virtual-machine.ts'
import { defineReconciler, type Mutable } from '../define-reconciler.ts'
import { type OperateEffect, operate } from '../effect.ts'
import { namesOf } from '../names.ts'
import { volumesByTemplate } from '../storage/volume.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import type { Seen, StatusOf, Wish, World } from '../world.ts'
import { copySeen, imagesNamed, plannedCopies, surplusImages, type TemplateCopyPlan } from './template-copies.ts'

type Template = Wish<typeof PublicTemplate>

/** How long a download may take, in ms. */
const downloadDeadline = 3_600_000

function judgeDownloads(self: Template, world: World): Verdict {
  if (self.spec.passwordEnabled) {
    return blocked('NotSupportedYet', 'spec.passwordEnabled: passwords are not handed over yet: set it to false')
  }
  const { own, others } = imagesNamed(self, world)
  if (others.length > 0) {
    const identities = others.map(({ facts }) => facts.identity)
    return blocked(
      'IdentityConflict',
      `Images of this name exist outside under another identity (${namesOf(identities)}): run "skystead adopt --rebind" to take them over, or remove them there`,
    )
  }
  const copies = plannedCopies(self, world)
  const surplus = surplusImages(self, { own, copies }, world)
  if (surplus.length > 0) return removal(surplus, world)
  if (copies.length === 0)
    return satisfied('ServedFromSource', 'No image store wants a copy: disks are made from the source')
  const missing = copies.filter(copy => copySeen(copy, world) === undefined)
  if (missing.length === 0) return satisfied('Downloaded')
  const ready = missing.filter(({ endpoint }) => isReady(endpoint, world))
  const names = namesOf([...new Set(missing.map(({ storeName }) => storeName))])
  if (ready.length === 0) return waiting('StorageNotConnected', `Waiting for image stores: ${names}`)
  return acting('Downloading', `Being fetched to ${names}`, ...ready.map(copy => download(self, copy, world)))
}

function isReady(endpoint: TemplateCopyPlan['endpoint'], world: World): boolean {
  const { answers, listed } = world.observed.endpoint(endpoint)
  return answers === 'Yes' && listed
}

function download(self: Template, copy: TemplateCopyPlan, world: World): OperateEffect {
  const { endpoint, identity, image } = copy
  const { checksum, format, url } = image
  const mark = { installation: world.installation, kind: self.kind, name: self.metadata.name }
  const target = { endpoint, identity, deadline: downloadDeadline }
  const args = { identity, mark, url, format, ...(checksum === undefined ? {} : { checksum }) }
  return operate(operation('StoreImage', target, args), [])
}

/** Takes images away from the stores that answer. */
function removal(images: readonly Seen<ImageFacts>[], world: World): Verdict {
  const reachable = images.filter(({ endpoint }) => isReady(endpoint, world))
  if (reachable.length === 0)
    return waiting('StorageNotConnected', `${images.length} images are left in stores that do not answer`)
  const deletions = reachable.map(({ endpoint, facts: { identity } }) =>
    operate(operation('DeleteImage', { endpoint, identity }, { identity }), []),
  )
  return acting('Removing', `Images to remove: ${images.length}`, ...deletions)
}

/** Images of an object of the same name but another identity are not this template's to remove. */
function judgeRemoved(self: Template, world: World): Verdict {
  const { own } = imagesNamed(self, world)
  if (own.length > 0) return removal(own, world)
  const running = plannedCopies(self, world).filter(({ identity }) =>
    world.operations(identity).some(({ state }) => state === 'Running'),
  )
  if (running.length > 0) return waiting('Downloading', 'A download has not ended yet')
  const doubtful = plannedCopies(self, world).filter(({ identity }) => world.observed.inDoubt(identity).length > 0)
  if (doubtful.length > 0) return waiting('InDoubt', 'A download was not answered: its store is being listed')
  return satisfied('Removed')
}

function report(status: Mutable<StatusOf<typeof PublicTemplate>>, self: Template, world: World): void {
  const byZone = Map.groupBy(plannedCopies(self, world), ({ zoneName }) => zoneName)
  status.zones = [...byZone].map(([zoneName, copies]) => {
    const seen = copies.flatMap(copy => copySeen(copy, world) ?? [])
    const progress = copies.map(copy => progressOf(copy, world))
    const size = Math.max(0, ...seen.map(({ facts }) => facts.sizeBytes))
    return {
      zoneName,
      progressPercent: Math.floor(progress.reduce((sum, each) => sum + each, 0) / copies.length / 5) * 5,
      ...(size === 0 ? {} : { size: formatQuantity(size, 'Bytes') }),
    }
  })
}

function progressOf(copy: TemplateCopyPlan, world: World): number {
  if (copySeen(copy, world) !== undefined) return 100
  const job = world.observed.jobs(copy.identity).find(({ endpoint }) => endpoint === copy.endpoint)
  return Math.min(95, job?.facts.progressPercent ?? 0)
}

/** Templates are copied to the image stores of every zone that runs them. They go when nothing is made from them. */
export const publicTemplateReconciler = defineReconciler(PublicTemplate, {
  phases: [{ condition: 'Downloaded', judge: judgeDownloads }],
  usedBy: [
    { index: machinesByTemplate, value: ({ metadata }) => metadata.name },
    { index: volumesByTemplate, value: ({ metadata }) => metadata.name },
  ],
  teardown: [{ condition: 'Downloaded', judge: judgeRemoved }],
  report,
})
