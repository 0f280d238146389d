import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import test from 'ava'
import { Project } from 'ts-morph'
import { driverErrorCodes } from '../../drivers/contract/errors.ts'
import { reasonsIn } from './reasons.ts'

const root = resolve(import.meta.dirname, '../..')
const pages = [
  'README.md',
  'drivers/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.md'))
    .map(path => `docs/${path}`),
]

const textOf = (path: string) => readFileSync(join(root, path), 'utf8')

for (const page of pages) {
  test(`every link in ${page} leads to a file`, t => {
    const links = [...textOf(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].flatMap(([, link]) => link ?? [])
    const dead = links.filter(link => !/^[a-z]+:/.test(link) && !existsSync(join(root, dirname(page), link)))
    t.deepEqual(dead, [])
  })
}

test('every decision is in docs/decisions/README.md, in order', t => {
  const links = [...textOf('docs/decisions/README.md').matchAll(/^- \[.*\]\((\d{4}-[^)]+)\)$/gm)].map(
    ([, link]) => link,
  )
  const files = readdirSync(join(root, 'docs/decisions')).filter(name => name !== 'README.md')
  t.deepEqual(links, files.toSorted())
})

test('every reason for what is not Ready is in docs/troubleshooting.md, and no other', t => {
  const project = new Project({ skipAddingFilesFromTsConfig: true, skipLoadingLibFiles: true })
  project.addSourceFilesAtPaths([`${root}/reconcilers/**/*.ts`])
  const said = reasonsIn(project)
  t.true(said.size > 80)
  const rows = [...textOf('docs/troubleshooting.md').matchAll(/^\| `(\w+)`(?:, `(\w+)`)*/gm)]
  const told = new Set(rows.flatMap(([row]) => [...row.matchAll(/`(\w+)`/g)].flatMap(([, name]) => name ?? [])))
  const missing = [...said].filter(reason => !told.has(reason)).sort()
  t.deepEqual(missing, [], 'add these to docs/troubleshooting.md')
  const byEngine = new Set([
    'NotYetObserved',
    'Deleting',
    'Observing',
    'IdentityNotGiven',
    'APIInvalid',
    'APIForbidden',
    ...Object.keys(driverErrorCodes),
  ])
  const gone = [...told]
    .filter(reason => !said.has(reason) && !byEngine.has(reason) && !/NotFound$/.test(reason))
    .sort()
  t.deepEqual(gone, [], 'take these out of docs/troubleshooting.md')
})
