import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { kinds } from '../../../crds/kinds.ts'
import { knownTags } from '../../../tools/generate/constraints.ts'
import { generate, generatedFolders } from '../../../tools/generate/generate.ts'

const root = new URL('../../../', import.meta.url)
const files = generate(root.pathname.replace(/\/$/, ''), kinds)

test('the generated files are what the sources say: run `npm run generate` where they are not', t => {
  for (const [path, text] of files) t.is(readFileSync(new URL(path, root), 'utf8'), text, path)
})

test('the folders of generated files hold no other', t => {
  const found = generatedFolders.flatMap(folder => readdirSync(new URL(folder, root)).map(name => `${folder}/${name}`))
  t.deepEqual(
    found.filter(path => !files.has(path)),
    [],
  )
})

test('generating twice gives the same', t => {
  const again = generate(root.pathname.replace(/\/$/, ''), kinds)
  t.deepEqual([...again], [...files])
})

test('tsdoc.json declares exactly the tags that the generator knows', t => {
  const { tagDefinitions } = JSON.parse(readFileSync(new URL('tsdoc.json', root), 'utf8'))
  const declared = tagDefinitions.map((tag: { readonly tagName: string }) => tag.tagName.slice(1))
  // @see is one of TSDoc's own.
  t.deepEqual(declared.sort(), knownTags.filter(name => name !== 'see').toSorted())
})
