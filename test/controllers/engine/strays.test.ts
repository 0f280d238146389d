import test from 'ava'
import { createStrays, type StraysOptions } from '../../../controllers/engine/strays.ts'
import type { AllocationSpec } from '../../../crds/infrastructure/allocation.ts'
import { endpointKey } from '../../../drivers/contract/endpoint.ts'
import type { Operation } from '../../../drivers/contract/operation.ts'
import { host } from '../../reconcilers/infrastructure-builders.ts'
import { installation, machine } from '../observation/samples.ts'

const here = host({ name: 'host-1' })
const endpoint = endpointKey('Host', here.metadata.uid)
const stray: AllocationSpec = {
  type: 'Stray',
  realm: here.metadata.uid,
  value: 'machine-1',
  holder: { group: 'compute.skystead.dev', kind: 'VirtualMachine', name: 'web', namespace: 'shop', uid: 'machine-1' },
  epoch: 1,
}

/** Strays where the host answers and shows these machines; what is asked of it is kept. */
function strays(seen: readonly ReturnType<typeof machine>[]) {
  const asked: Operation[] = []
  const options: StraysOptions = {
    installation,
    desired: { all: () => [here], get: () => undefined, list: () => [] },
    observed: {
      endpoint: () => ({ answers: 'Yes', listed: true }),
      provenAbsent: () => false,
      isReady: () => true,
      machines: () => seen.map(facts => ({ endpoint, facts, current: true })),
    },
    executor: {
      submit: operation => {
        asked.push(operation)
        return 'Started'
      },
    },
    observer: { listSoon: () => undefined },
  }
  return { asked, isOver: () => createStrays(options).isOver(stray, async () => true) }
}

test('a definition of ours that is off, of a machine that is no more, is removed, and the note stays until it is gone', async t => {
  const { asked, isOver } = strays([machine('machine-1', { powerState: 'Off' })])
  t.false(await isOver())
  t.deepEqual(
    asked.map(({ verb }) => verb),
    ['RemoveMachine'],
  )
})

test('what bears no mark of ours any more was given back: the note has nothing left to tell', async t => {
  const { mark: _, ...unmarked } = machine('machine-1', { powerState: 'Off' })
  const { asked, isOver } = strays([unmarked])
  t.true(await isOver())
  t.deepEqual(asked, [])
})
