import test from 'ava'
import { refusedMachines } from './refused/compute-and-storage.ts'
import { allowedEdits, refusedEdits } from './refused/edits.ts'
import { refusedInfrastructure } from './refused/infrastructure.ts'
import { refusedNetworks } from './refused/network.ts'
import { changed, sample } from './refused/refusal.ts'
import { refusals } from './schemas.ts'

const refusedManifests = [...refusedInfrastructure, ...refusedMachines, ...refusedNetworks]

for (const [title, kind, changes, field, message] of refusedManifests) {
  test(`${title}: refused with the field and the mend`, t => {
    const said = refusals(changed(sample(kind), changes))
    t.true(
      said.some(line => line.startsWith(`${field}: `) && message.test(line)),
      said.join('\n') || 'accepted',
    )
  })
}

for (const [title, kind, changes, field, message] of refusedEdits) {
  test(`${title}: the edit is refused with the field and the mend`, t => {
    const before = sample(kind)
    const said = refusals(changed(before, changes), before)
    t.true(
      said.some(line => line.startsWith(`${field}: `) && message.test(line)),
      said.join('\n') || 'accepted',
    )
  })
}

for (const [title, kind, changes] of allowedEdits) {
  test(`${title}: the edit is accepted`, t => {
    t.deepEqual(refusals(changed(sample(kind), changes), sample(kind)), [])
  })
}

test('nothing is refused when nothing changes', t => {
  for (const kind of new Set([...refusedManifests, ...refusedEdits].map(([, name]) => name))) {
    t.deepEqual(refusals(sample(kind), sample(kind)), [], kind)
  }
})

test('VM-019 a machine must be named like a DNS label', t => {
  const machine = sample('VirtualMachine')
  for (const name of ['a.b', 'x'.repeat(64)]) {
    const said = refusals({ ...machine, metadata: { ...machine.metadata, name } })
    t.true(
      said.some(line => line.includes('metadata.name must be at most 63 characters without dots')),
      name,
    )
  }
  t.deepEqual(refusals({ ...machine, metadata: { ...machine.metadata, name: 'x'.repeat(63) } }), [])
})

test('there is one Settings object, named default', t => {
  const settings = sample('Settings')
  const said = refusals({ ...settings, metadata: { name: 'other' } })
  t.true(said.some(line => line.includes("metadata.name must be 'default'")))
})
