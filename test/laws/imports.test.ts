import test from 'ava'
import { forbiddenImports, importCycles, longFiles, wrongNames } from './import-law.ts'
import { repositorySources, type Source } from './sources.ts'

const sources = repositorySources()

test('every import follows an arrow of the table', t => {
  t.true(sources.length > 300)
  t.deepEqual(forbiddenImports(sources), [])
})

test('no files import each other in a circle', t => {
  t.deepEqual(importCycles(sources), [])
})

test('files and folders are named after the thing, in kebab-case', t => {
  t.deepEqual(wrongNames(sources), [])
})

test('no file has more than 400 lines, no test more than 600', t => {
  t.deepEqual(longFiles(sources), [])
})

const one = (path: string, ...lines: readonly string[]): readonly Source[] => [{ path, text: `${lines.join('\n')}\n` }]

const forbidden: readonly (readonly [title: string, source: readonly Source[], violation: string])[] = [
  [
    'a kind that imports a reconciler',
    one('crds/a.ts', `import { place } from '../reconcilers/placement/place.ts'`),
    'crds/a.ts:1: crds/ may not import reconcilers/placement/place.ts',
  ],
  [
    'a reconciler that imports the value of a driver error',
    one(
      'reconcilers/a.ts',
      `import type { Mark } from '../drivers/contract/facts.ts'`,
      `import { DriverError } from '../drivers/contract/errors.ts'`,
    ),
    'reconcilers/a.ts:2: reconcilers/ may import only types of drivers/contract/errors.ts',
  ],
  [
    'a reconciler that imports a driver, if only its type',
    one('reconcilers/a.ts', `import type { World } from '../drivers/simulator/world.ts'`),
    'reconcilers/a.ts:1: reconcilers/ may not import drivers/simulator/world.ts',
  ],
  [
    'a reconciler that reads files',
    one('reconcilers/a.ts', `import { readFileSync } from 'node:fs'`),
    'reconcilers/a.ts:1: reconcilers/ may not import the package node:fs',
  ],
  [
    'a driver that imports another',
    one('drivers/kvm/a.ts', `import type { World } from '../simulator/world.ts'`),
    'drivers/kvm/a.ts:1: drivers/kvm/ may not import drivers/simulator/world.ts',
  ],
  [
    'a driver that imports the value of a kind',
    one(
      'drivers/kvm/a.ts',
      `import { sleep } from '../../crds/environment.ts'`,
      `import { type HostSpec, Host } from '../../crds/infrastructure/host.ts'`,
    ),
    'drivers/kvm/a.ts:2: drivers/kvm/ may import only types of crds/infrastructure/host.ts',
  ],
  [
    'a driver of a folder that the table does not know',
    one('drivers/lxc/a.ts', `import { Zone } from '../../crds/infrastructure/zone.ts'`),
    'drivers/lxc/a.ts:1: the folder is missing in the table of imports',
  ],
  [
    'a controller that imports a driver when it runs',
    one('controllers/a.ts', `const kvm = await import('../drivers/kvm/driver.ts')`),
    'controllers/a.ts:1: controllers/ may not import drivers/kvm/driver.ts',
  ],
  [
    'an API server that passes a reconciler on',
    one('apiserver/a.ts', `export { place } from '../reconcilers/placement/place.ts'`),
    'apiserver/a.ts:1: apiserver/ may not import reconcilers/placement/place.ts',
  ],
  [
    'a command that imports a test',
    one('cli/a.ts', `import '../test/stories/cloud.ts'`),
    'cli/a.ts:1: cli/ may not import test/stories/cloud.ts',
  ],
]

for (const [title, source, violation] of forbidden) {
  test(`the law finds ${title}`, t => t.deepEqual(forbiddenImports(source), [violation]))
}

test('the law allows what the table allows', t => {
  const allowed = [
    ...one('reconcilers/network/a.ts', `import { type Verbs, operation } from '../../drivers/contract/operation.ts'`),
    ...one('drivers/kvm/a.ts', `import type { Host } from '../../crds/infrastructure/host.ts'`),
    ...one('cli/a.ts', `const { up } = await import('./up.ts')`, `import { x } from '../drivers/kvm/driver.ts'`),
  ]
  t.deepEqual(forbiddenImports(allowed), [])
})

test('the law finds circles, also through types', t => {
  const circle = [
    ...one('crds/a.ts', `import { b } from './b.ts'`),
    ...one('crds/b.ts', `import type { C } from './deep/c.ts'`),
    ...one('crds/deep/c.ts', `export type { A } from '../a.ts'`),
  ]
  t.deepEqual(importCycles(circle), ['crds/a.ts -> crds/b.ts -> crds/deep/c.ts -> crds/a.ts'])
  t.deepEqual(importCycles(circle.slice(0, 2)), [])
})

test('the law finds empty names, capitals and long files', t => {
  const named = (path: string) => wrongNames(one(path, '')).length
  t.deepEqual(
    ['crds/index.ts', 'cli/utils.ts', 'test/helpers/a.ts', 'crds/hostPod.ts', 'crds/Host/a.ts', 'crds/host_pod.ts'].map(
      named,
    ),
    [1, 1, 1, 1, 1, 1],
  )
  t.deepEqual(['crds/host-pod.ts', 'test/place.property.test.ts'].map(named), [0, 0])
  t.is(longFiles(one('a.ts', '\n'.repeat(400))).length, 1)
  t.is(longFiles(one('a.ts', '\n'.repeat(399))).length, 0)
})
