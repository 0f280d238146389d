import test from 'ava'
import { kinds } from '../../../crds/kinds.ts'
import { generate } from '../../../tools/generate/generate.ts'

const root = new URL('../../../', import.meta.url).pathname.replace(/\/$/, '')
const pages = new Map([...generate(root, kinds)].filter(([path]) => path.startsWith('docs/reference/')))

test('every kind has a page, and the list leads to each', t => {
  const list = pages.get('docs/reference/README.md') ?? ''
  for (const kind of kinds) {
    const name = `${kind.kind.toLowerCase()}.md`
    t.true(list.includes(`[${kind.kind}](${name})`), kind.kind)
    t.true(pages.get(`docs/reference/${name}`)?.includes(`# ${kind.kind}\n`), kind.kind)
  }
  t.is(pages.size, kinds.length + 1)
})

test('a page shows fields with their types, defaults and bounds, rules, and conditions', t => {
  const page = pages.get('docs/reference/virtualmachine.md') ?? ''
  for (const text of [
    '| `zoneName` * | string | zoneName names the zone. It cannot be changed. |',
    '| `runStrategy` | `Always`, `Halted`, `OnFailure`, `Once`; default `"Always"` |',
    '### spec.nics[]',
    '- exactly one of `networkName` and `sharedNetworkName` must be set',
    '| `PowerApplied` | The machine runs, or is off, as its runStrategy wishes. |',
    '| `Ready` | All of these are True. |',
  ]) {
    t.true(page.includes(text), text)
  }
})

test('tables stay whole: every row of a table has as many cells as its head', t => {
  for (const [path, page] of pages) {
    for (const table of page.split('\n\n').filter(part => part.startsWith('|'))) {
      const widths = table
        .trim()
        .split('\n')
        .map(row => row.replaceAll('\\|', '').split('|').length)
      t.deepEqual([...new Set(widths)].length, 1, `${path}: ${table.slice(0, 80)}`)
    }
  }
})
