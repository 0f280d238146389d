import { RE2JS } from '@bufbuild/re2'
import test from 'ava'
import fc from 'fast-check'
import { compilePattern } from '../../../apiserver/schema/pattern.ts'

const sources = [
  '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
  '^/[^ ]*$',
  'a|b$',
  '^a{2,3}b?',
  '^(sim|file)://[^ ]+$',
  '\\d+\\.',
  '[^a]',
  '(ab)*c',
  '^.$',
]

test('every expression means what it means in RE2, for every text', t => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '1', '/', ' ', 'é', '👍', '\n'), maxLength: 8 })
  for (const source of sources) {
    const pattern = compilePattern(source)
    const reference = RE2JS.compile(source)
    t.notThrows(() => fc.assert(fc.property(text, value => pattern(value) === reference.test(value))), source)
  }
})

test('what RE2 does not know is refused', t => {
  for (const source of ['(?=a)', '(a)\\1', '[', 'a**']) t.throws(() => compilePattern(source), undefined, source)
})

test('the same text gets the same answer when it is asked again', t => {
  const pattern = compilePattern('^(a+b)+$')
  t.deepEqual(
    ['aab', 'aaa', 'aab', 'aaa'].map(text => pattern(text)),
    [true, false, true, false],
  )
})
