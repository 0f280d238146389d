import test from 'ava'
import { changed, sample } from '../crds/refused/refusal.ts'
import { defaulted, refusals } from '../crds/schemas.ts'
import {
  offeringDefaults,
  offeringNeeds,
  offeringsAccepted,
  offeringsFixed,
  offeringsRefused,
} from './offering-fields.ts'
import { placeDefaults, placeNeeds, placesAccepted, placesFixed, placesRefused } from './place-fields.ts'

for (const { title, kind, field, value } of [...placeDefaults, ...offeringDefaults]) {
  test(`${title}, by default (${kind} ${field})`, t => {
    const without = changed(sample(kind), { [field]: undefined })
    t.deepEqual(defaulted(without).spec[field], value)
  })
}

for (const { title, kind, fields } of [...placeNeeds, ...offeringNeeds]) {
  test(`${title} is refused without ${fields.join(', ')}`, t => {
    for (const field of fields) {
      const said = refusals(changed(sample(kind), { [field]: undefined }))
      t.true(said.includes(`spec.${field}: Required value`), `${field}: ${said.join('\n') || 'accepted'}`)
    }
  })
}

for (const { title, kind, changes } of [...placesAccepted, ...offeringsAccepted]) {
  test(`${title}: accepted`, t => {
    for (const change of changes) t.deepEqual(refusals(changed(sample(kind), change)), [], JSON.stringify(change))
  })
}

for (const { title, kind, changes, field, message } of [...placesRefused, ...offeringsRefused]) {
  test(`${title}: refused by name`, t => {
    for (const change of changes) {
      const said = refusals(changed(sample(kind), change))
      t.true(
        said.some(line => line.startsWith(`${field}: `) && message.test(line)),
        `${JSON.stringify(change)}: ${said.join('\n') || 'accepted'}`,
      )
    }
  })
}

for (const { title, kind, edits } of [...placesFixed, ...offeringsFixed]) {
  test(`${title} cannot be edited (${Object.keys(edits).join(', ')})`, t => {
    const before = sample(kind)
    for (const [field, value] of Object.entries(edits)) {
      const said = refusals(changed(before, { [field]: value }), before)
      t.true(
        said.some(
          line => line.startsWith(`spec.${field}: `) || (line.startsWith('spec: ') && line.includes(`\`${field}\``)),
        ),
        `${field}: ${said.join('\n') || 'accepted'}`,
      )
      t.true(
        said.some(line => /cannot be changed|can neither be set nor removed|may not shrink/.test(line)),
        `${field}: ${said.join('\n')}`,
      )
    }
  })
}
