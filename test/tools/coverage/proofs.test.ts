import test from 'ava'
import { requirementsOf } from '../../../tools/coverage/catalogue.ts'
import { holds } from '../../../tools/coverage/plan.ts'
import { proofsOf } from '../../../tools/coverage/proofs.ts'

const one = (text: string) => proofsOf('test/a.test.ts', text)

test('the title of a test proves every requirement that it names', t => {
  t.deepEqual(one(`test('INF-040 NET-015 ranges do not overlap', t => t.pass())`), [
    { id: 'INF-040', path: 'test/a.test.ts', title: 'ranges do not overlap' },
    { id: 'NET-015', path: 'test/a.test.ts', title: 'ranges do not overlap' },
  ])
})

const proving = [
  `test.serial('VM-031 it stops', t => t.pass())`,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text that is to be parsed
  'test(`VM-031 ${name}`, t => t.pass())',
  `const cases = [{ title: 'VM-031 it stops', field: 'x' }]`,
  `const cases = [['VM-031 it stops', 'x']]`,
]

for (const text of proving) {
  test(`this proves a requirement: ${text}`, t =>
    t.deepEqual(
      one(text).map(({ id }) => id),
      ['VM-031'],
    ))
}

const notProving = [
  `test.skip('VM-031 it stops', t => t.pass())`,
  `test.todo('VM-031 it stops')`,
  `// VM-031 it stops`,
  `t.is(text, 'VM-031 it stops')`,
  `const cases = [['x', 'VM-031 it stops']]`,
  `const field = { message: 'VM-031' }`,
]

for (const text of notProving) {
  test(`this proves nothing: ${text}`, t => t.deepEqual(one(text), []))
}

test('a catalogue is read with its headings and without its sentences', t => {
  const text = ['### Regions', '- **INF-001** [core] Words.', 'other', '#### Deep', '- **INF-002** [ops] Words.'].join(
    '\n',
  )
  t.deepEqual(requirementsOf(text), [
    { id: 'INF-001', area: 'INF', tag: 'core', heading: 'Regions' },
    { id: 'INF-002', area: 'INF', tag: 'ops', heading: 'Deep' },
  ])
})

test('the plan names numbers and ranges', t => {
  t.deepEqual(
    [27, 28, 29, 30, 32].map(number => holds('028-029, 032', number)),
    [false, true, true, false, true],
  )
})
