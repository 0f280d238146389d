import { randomUUID } from 'node:crypto'
import type { Connection } from '../../drivers/contract/driver.ts'
import type { SecondaryStorageInventory } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { type Rig, type Rule, refused } from './conformance-rig.ts'

/** The rules about power controllers and image stores. */
export function powerRules(rule: Rule): void {
  rule('rule 29: a host whose power is off runs nothing until it is on again', async (t, rig) => {
    const endpoint = rig.fixture.power
    if (endpoint === undefined) {
      t.pass('the driver serves no power controllers')
      return
    }
    const identity = rig.identity()
    await rig.perform(rig.define(identity, { power: 'Running' }))
    await using power = rig.fixture.driver.connect(endpoint)
    const set = async (wish: 'On' | 'Off') => {
      const target = { endpoint: endpoint.key, identity: 'host' }
      t.is(await power.perform(operation('SetPower', target, { power: wish }), rig.options()), undefined)
    }
    t.deepEqual(await power.inventory(rig.options()), { type: 'PowerController', power: 'On' })
    await set('On')
    t.is((await rig.machine(identity))?.powerState, 'Running')
    await set('Off')
    await set('Off')
    t.deepEqual(await power.inventory(rig.options()), { type: 'PowerController', power: 'Off' })
    await refused(t, rig.host.inventory(rig.options()), 'Unavailable', 'Timeout')
    await refused(t, rig.perform(rig.define(identity)), 'Unavailable', 'Timeout')
    await set('On')
    t.deepEqual(await power.inventory(rig.options()), { type: 'PowerController', power: 'On' })
    const machine = await rig.eventually(
      () => rig.machine(identity).catch(() => undefined),
      seen => seen !== undefined,
    )
    t.like(machine, { powerState: 'Off', stopCause: 'Unknown' })
  })

  rule('rule 30: an image store keeps images by identity, whole and with their marks', async (t, rig) => {
    const { store: endpoint, images } = rig.fixture
    if (endpoint === undefined || images === undefined) {
      t.pass('the driver serves no image stores')
      return
    }
    await using store = rig.fixture.driver.connect(endpoint)
    const identity = randomUUID()
    const { format } = images
    const mark = rig.mark('tiny-linux', 'PublicTemplate')
    const target = { endpoint: endpoint.key, identity }
    const put = (url: string) => operation('StoreImage', target, { identity, mark, url, format })
    const remove = operation('DeleteImage', target, { identity })
    t.is(await store.perform(remove, rig.options()), undefined)
    await refused(t, store.perform(put(images.missing), rig.options()), 'NotFound', 'InvalidArgument')
    t.is(await imageOf(store, rig, identity), undefined)
    const answer = await store.perform(put(images.present), rig.options())
    t.like(answer, { identity, mark, url: images.present })
    t.true(answer.sizeBytes > 0)
    t.deepEqual(await imageOf(store, rig, identity), answer)
    t.deepEqual(await store.perform(put(images.present), rig.options()), answer)
    await refused(t, store.perform(put(`${images.present}-other`), rig.options()), 'AlreadyExists')
    await refused(t, store.perform(remove, { ...rig.options(), installation: 'somebody-else' }), 'FailedPrecondition')
    t.deepEqual(await imageOf(store, rig, identity), answer)
    t.is(await store.perform(remove, rig.options()), undefined)
    t.is(await imageOf(store, rig, identity), undefined)
  })
}

async function imageOf(store: Connection, rig: Rig, identity: string) {
  const inventory = await store.inventory(rig.options())
  const isStore = (each: typeof inventory): each is SecondaryStorageInventory => each.type === 'SecondaryStorage'
  return isStore(inventory) ? inventory.images.find(image => image.identity === identity) : undefined
}
