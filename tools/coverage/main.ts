/** `npm run coverage`: writes docs/coverage.md from the catalogue of requirements and the titles of the tests. */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { areas, readCatalogue } from './catalogue.ts'
import { countTested, renderPage } from './page.ts'
import { findProofs } from './proofs.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = resolve(root, '../shared/spec')
const catalogue = readCatalogue(folder)

if (catalogue === undefined) {
  console.error(`Cannot write docs/coverage.md: the catalogue of requirements is not at ${folder}`)
  process.exitCode = 1
} else {
  const proofs = findProofs(root)
  writeFileSync(join(root, 'docs/coverage.md'), renderPage(catalogue, proofs))
  const counts = Object.keys(areas).map(area => {
    const own = catalogue.filter(requirement => requirement.area === area)
    return `${area} ${countTested(own, proofs)} of ${own.length}`
  })
  console.log(
    `${countTested(catalogue, proofs)} of ${catalogue.length} core requirements are tested: ${counts.join(', ')}`,
  )
}
