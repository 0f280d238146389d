import type { ExecutionContext } from 'ava'
import { type Rig, type Rule, refused } from './conformance-rig.ts'

const mebibyte = 1024 ** 2

/** The rules about volumes. */
export function volumeRules(rule: Rule): void {
  rule('rule 1, rule 12: a volume is listed under the identity and with the mark of the request', async (t, rig) => {
    const identity = rig.identity()
    const answer = await rig.perform(rig.create(identity, { sizeBytes: 80 * mebibyte }))
    t.like(answer, { identity, mark: rig.mark('web-root', 'Volume'), epoch: 1, sizeBytes: 80 * mebibyte })
    t.is(answer.trashedAt, undefined)
    t.deepEqual(await rig.fixture.volumes(), [identity])
  })

  rule('rule 2, rule 25: every operation on a volume may be repeated, and answers what is', async (t, rig) => {
    const identity = rig.identity()
    const steps = [
      rig.create(identity),
      rig.onPool('ResizeVolume', identity, { identity, epoch: 1, sizeBytes: 96 * mebibyte }),
      rig.create(identity),
      rig.onPool('TrashVolume', identity, { identity, epoch: 1, at: '2026-11-20T12:00:00Z' }),
      rig.onPool('RestoreVolume', identity, { identity, epoch: 1 }),
      rig.onPool('DeleteVolume', identity, { identity, epoch: 1 }),
    ] as const
    for (const step of steps) {
      const first = await rig.perform(step)
      t.deepEqual(await rig.volume(identity), first, step.verb)
      t.deepEqual(await rig.perform(step), first, step.verb)
      t.deepEqual(await rig.volume(identity), first, step.verb)
    }
    t.deepEqual(await rig.fixture.volumes(), [])
  })

  rule('rule 3: creating a volume that exists as large or larger succeeds and takes mark and epoch', async (t, rig) => {
    const identity = rig.identity()
    await rig.perform(rig.create(identity, { sizeBytes: 80 * mebibyte }))
    const wish = { epoch: 2, mark: rig.mark('renamed', 'Volume') }
    const answer = await rig.perform(rig.create(identity, { ...wish, sizeBytes: 72 * mebibyte }))
    t.like(answer, { ...wish, sizeBytes: 80 * mebibyte })
    t.deepEqual(await rig.volume(identity), answer)
  })

  rule('rule 3: creating a volume that exists smaller, or for another kind, is AlreadyExists', async (t, rig) => {
    const identity = rig.identity()
    const made = await rig.perform(rig.create(identity))
    await refused(t, rig.perform(rig.create(identity, { sizeBytes: 128 * mebibyte })), 'AlreadyExists')
    await refused(t, rig.perform(rig.create(identity, { mark: rig.mark('x', 'Template') })), 'AlreadyExists')
    t.deepEqual(await rig.volume(identity), made)
  })

  rule('rule 4: trashing and deleting a missing volume succeeds', async (t, rig) => {
    const identity = rig.identity()
    const trash = rig.onPool('TrashVolume', identity, { identity, epoch: 1, at: '2026-11-20T12:00:00Z' })
    t.is(await rig.perform(trash), undefined)
    t.is(await rig.perform(rig.onPool('DeleteVolume', identity, { identity, epoch: 1 })), undefined)
    t.deepEqual(await rig.fixture.volumes(), [])
  })

  rule('rule 5: resizing and restoring a missing volume is NotFound', async (t, rig) => {
    const identity = rig.identity()
    const resize = rig.onPool('ResizeVolume', identity, { identity, epoch: 1, sizeBytes: 96 * mebibyte })
    await refused(t, rig.perform(resize), 'NotFound')
    await refused(t, rig.perform(rig.onPool('RestoreVolume', identity, { identity, epoch: 1 })), 'NotFound')
    t.deepEqual(await rig.fixture.volumes(), [])
  })

  rule(
    'rule 10: a clone of an image that is missing leaves nothing, one that exists is at least as large',
    async (t, rig) => {
      const { images } = rig.fixture
      if (images === undefined) {
        t.pass('the fixture has no images')
        return
      }
      const { format } = images
      const identity = rig.identity()
      const missing = rig.create(identity, { image: { url: images.missing, format } })
      await refused(t, rig.perform(missing), 'NotFound', 'InvalidArgument', 'FailedPrecondition')
      t.deepEqual(await rig.fixture.volumes(), [])
      const clone = rig.create(identity, { sizeBytes: 0, image: { url: images.present, format } })
      const answer = await rig.perform(clone)
      t.true(answer.sizeBytes > 0)
      t.deepEqual(await rig.perform(clone), answer)
      const larger = rig.create(rig.identity(), {
        sizeBytes: answer.sizeBytes + mebibyte,
        image: cloneOf(images),
      })
      t.is((await rig.perform(larger)).sizeBytes, answer.sizeBytes + mebibyte)
    },
  )

  rule('rule 13: an older epoch is refused and changes no volume, a newer one is remembered', async (t, rig) => {
    const identity = rig.identity()
    const resize = (epoch: number) =>
      rig.onPool('ResizeVolume', identity, { identity, epoch, sizeBytes: 96 * mebibyte })
    const trash = (epoch: number) =>
      rig.onPool('TrashVolume', identity, { identity, epoch, at: '2026-11-20T12:00:00Z' })
    const restore = (epoch: number) => rig.onPool('RestoreVolume', identity, { identity, epoch })
    const remove = (epoch: number) => rig.onPool('DeleteVolume', identity, { identity, epoch })
    const made = await rig.perform(rig.create(identity, { epoch: 5 }))
    const late = [rig.create(identity, { epoch: 4 }), resize(4), trash(4), restore(4), remove(4)]
    for (const wish of late) await refused(t, rig.perform(wish), 'StaleEpoch')
    t.deepEqual(await rig.volume(identity), made)
    t.is((await rig.perform(resize(6))).epoch, 6)
    t.is((await rig.perform(trash(7)))?.epoch, 7)
    await refused(t, rig.perform(restore(6)), 'StaleEpoch')
    t.is((await rig.perform(restore(8))).epoch, 8)
    await rig.perform(remove(8))
    t.is((await rig.perform(rig.create(identity, { epoch: 1 }))).epoch, 1)
  })

  rule('rule 14: a volume that is not ours is listed and never changed', async (t, rig) => {
    if (rig.fixture.addForeignVolume === undefined) {
      t.pass('the fixture cannot make one')
      return
    }
    const others = { installation: 'somebody-else', kind: 'Volume', namespace: 'shop', name: 'data' }
    for (const mark of [undefined, others]) {
      const identity = await rig.fixture.addForeignVolume(mark)
      await untouchable(t, rig, identity)
      t.deepEqual((await rig.volume(identity))?.mark, mark)
    }
  })

  rule('rule 17, rule 24: a machine with a volume in the trash does not start', async (t, rig) => {
    const [machine, volume] = [rig.identity(), rig.identity()]
    await rig.perform(rig.create(volume))
    await rig.perform(rig.onPool('TrashVolume', volume, { identity: volume, epoch: 1, at: '2026-11-20T12:00:00Z' }))
    const disks = [{ identity: volume, pool: rig.fixture.pool.key, name: 'root' }]
    const define = rig.define(machine, { definition: rig.definition({ disks }), power: 'Running' })
    await refused(t, rig.perform(define), 'FailedPrecondition')
    t.not((await rig.machine(machine))?.powerState, 'Running')
    await rig.perform(rig.onPool('RestoreVolume', volume, { identity: volume, epoch: 1 }))
    t.is((await rig.perform(define)).powerState, 'Running')
  })

  rule('rule 23: a volume grows and never shrinks', async (t, rig) => {
    const identity = rig.identity()
    await rig.perform(rig.create(identity))
    const resize = (sizeBytes: number) => rig.onPool('ResizeVolume', identity, { identity, epoch: 1, sizeBytes })
    t.is((await rig.perform(resize(96 * mebibyte))).sizeBytes, 96 * mebibyte)
    await refused(t, rig.perform(resize(95 * mebibyte)), 'InvalidArgument')
    t.is((await rig.volume(identity))?.sizeBytes, 96 * mebibyte)
  })

  rule('rule 24: the trash keeps a volume, its mark and the time it first went', async (t, rig) => {
    const identity = rig.identity()
    const made = await rig.perform(rig.create(identity))
    const trash = (at: string) => rig.onPool('TrashVolume', identity, { identity, epoch: 1, at })
    const trashed = { ...made, trashedAt: '2026-11-20T12:00:00Z' }
    t.deepEqual(await rig.perform(trash('2026-11-20T12:00:00Z')), trashed)
    t.deepEqual(await rig.perform(trash('2026-11-21T12:00:00Z')), trashed)
    t.deepEqual(await rig.volume(identity), trashed)
    await refused(t, rig.perform(rig.create(identity)), 'FailedPrecondition')
    t.deepEqual(await rig.perform(rig.onPool('RestoreVolume', identity, { identity, epoch: 1 })), made)
    t.deepEqual(await rig.volume(identity), made)
    await rig.perform(trash('2026-11-22T12:00:00Z'))
    await rig.perform(rig.onPool('DeleteVolume', identity, { identity, epoch: 1 }))
    t.deepEqual(await rig.fixture.volumes(), [])
  })

  rule('rule 26: the same volume created ten times at once is one volume', async (t, rig) => {
    const identity = rig.identity()
    const wish = rig.create(identity, rig.fixture.images === undefined ? {} : { image: cloneOf(rig.fixture.images) })
    const answers = await Promise.all(Array.from({ length: 10 }, () => rig.perform(wish)))
    t.deepEqual(await rig.fixture.volumes(), [identity])
    for (const answer of answers) t.deepEqual(answer, await rig.volume(identity))
  })
}

function cloneOf(images: { readonly present: string; readonly format: string }): { url: string; format: string } {
  return { url: images.present, format: images.format }
}

/** Asserts that every verb on that volume is refused and that it stays as it is. */
async function untouchable(t: ExecutionContext, rig: Rig, identity: string): Promise<void> {
  const before = await rig.volume(identity)
  t.not(before, undefined)
  const wishes = [
    rig.create(identity, { epoch: 9, sizeBytes: mebibyte }),
    rig.onPool('ResizeVolume', identity, { identity, epoch: 9, sizeBytes: 2 ** 40 }),
    rig.onPool('TrashVolume', identity, { identity, epoch: 9, at: '2026-11-20T12:00:00Z' }),
    rig.onPool('RestoreVolume', identity, { identity, epoch: 9 }),
    rig.onPool('DeleteVolume', identity, { identity, epoch: 9 }),
  ]
  for (const wish of wishes) await refused(t, rig.perform(wish), 'FailedPrecondition')
  t.deepEqual(await rig.volume(identity), before)
}
