import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import test from 'ava'
import { readCatalogue } from '../../../tools/coverage/catalogue.ts'
import { countTested, renderPage } from '../../../tools/coverage/page.ts'
import { holds, plan } from '../../../tools/coverage/plan.ts'
import { findProofs } from '../../../tools/coverage/proofs.ts'

const root = resolve(import.meta.dirname, '../../..')
const catalogue = readCatalogue(resolve(root, '../shared/spec'))
const proofs = findProofs(root)

/** It only rises: raise it when more is proven. */
const provenAtLeast = 310

if (catalogue === undefined) {
  console.log('# SKIP coverage: the catalogue of requirements (../shared/spec) is not on this machine')
  test('coverage without the catalogue of requirements: the page is there', t => {
    t.regex(readFileSync(resolve(root, 'docs/coverage.md'), 'utf8'), /^# Coverage\n/)
  })
} else {
  test('docs/coverage.md says what the tests prove: run `npm run coverage`', t => {
    t.is(readFileSync(resolve(root, 'docs/coverage.md'), 'utf8'), renderPage(catalogue, proofs))
  })

  test(`at least ${provenAtLeast} core requirements are proven`, t => {
    const tested = countTested(catalogue, proofs)
    t.true(tested >= provenAtLeast, `${tested} are proven`)
  })

  test('the plan names only requirements and headings that there are', t => {
    for (const [area, { headings, ids }] of Object.entries(plan)) {
      const own = catalogue.filter(requirement => requirement.area === area)
      const known = new Set(own.map(({ heading }) => heading))
      t.deepEqual(
        Object.keys(headings).filter(heading => !known.has(heading)),
        [],
        area,
      )
      const numbers = own.map(({ id }) => Number(id.slice(-3)))
      const dead = Object.keys(ids).filter(range => !numbers.some(number => holds(range, number)))
      t.deepEqual(dead, [], area)
    }
  })
}
