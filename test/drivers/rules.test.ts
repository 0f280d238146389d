import { readFile } from 'node:fs/promises'
import test from 'ava'

const readme = new URL('../../drivers/README.md', import.meta.url)
const suites = ['adoption', 'connections', 'machines', 'migration', 'power', 'volumes'].map(
  area => new URL(`conformance-${area}.ts`, import.meta.url),
)

test('every rule of drivers/README.md is numbered without gaps and tested by the conformance suite', async t => {
  const text = await readFile(readme, 'utf8')
  const rules = [...text.matchAll(/^\| (\d+) +\|.*\| `rule (\d+)` +\|$/gm)].map(([, number, named]) => [number, named])
  t.true(rules.length >= 30)
  t.deepEqual(
    rules,
    rules.map((_, index) => [String(index + 1), String(index + 1)]),
  )
  const titles = (await Promise.all(suites.map(suite => readFile(suite, 'utf8')))).join('\n')
  const tested = new Set([...titles.matchAll(/rule (\d+)[,:]/g)].map(([, number]) => Number(number)))
  t.deepEqual(
    [...tested].toSorted((a, b) => a - b),
    rules.map((_, index) => index + 1),
  )
})
