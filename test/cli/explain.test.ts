import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { joinedHistory, queryOf } from '../../cli/operations.ts'
import { operationRecord } from '../controllers/records/samples.ts'
import { forgetCompiled, run, start } from './command.ts'

test.after.always(forgetCompiled)

test('a running cloud explains its objects and lists its operations, also those of the run before', async t => {
  const home = await mkdtemp(join(tmpdir(), 'skystead-explain-'))
  const up = () => start('up', '--home', home, '--port', '0', '--metrics-port', '0', '--query-port', '0')
  try {
    const first = up()
    await first.says('Try:')
    const explained = await run('explain', 'vm', 'web-1', '-n', 'shop', '--home', home)
    t.is(explained.code, 0, explained.err)
    t.regex(explained.out, /^✓ VirtualMachine shop\/web-1 {2}Ready/)
    t.regex(explained.out, /DefineMachine at host-\d {2}done in/)
    const unknown = await run('explain', 'vm', 'web-9', '-n', 'shop', '--home', home)
    t.is(unknown.code, 1)
    t.regex(unknown.err, /Cannot explain VirtualMachine "web-9": there is none of that name in namespace "shop"/)
    await first.end()

    const second = up()
    await second.says('skystead ready')
    const listed = await run('operations', '--object', 'vm/shop/web-1', '--since', '1h', '-o', 'json', '--home', home)
    const { records } = JSON.parse(listed.out)
    t.true(
      records.some(({ verb, outcome }: Record<string, string>) => verb === 'DefineMachine' && outcome === 'Succeeded'),
    )
    const wrong = await run('operations', '--object', 'web-1', '--home', home)
    t.is(wrong.code, 1)
    t.regex(wrong.err, /it must be KIND\/NAMESPACE\/NAME, or KIND\/NAME/)
    await second.end()
  } finally {
    await rm(home, { recursive: true })
  }
})

const options = { home: '.', events: false, limit: 10, output: 'text' } as const

test('an object is named by kind, namespace and name, a time by how far to look back', t => {
  const now = Date.UTC(2026, 0, 1)
  t.is(
    String(queryOf({ ...options, object: 'vm/shop/web-1', since: '1h' }, now)),
    'limit=10&events=false&kind=vm&name=web-1&namespace=shop&since=2025-12-31T23%3A00%3A00.000Z',
  )
  t.is(String(queryOf({ ...options, object: 'host/host-1' }, now)), 'limit=10&events=false&kind=host&name=host-1')
  t.throws(() => queryOf({ ...options, since: 'yesterday' }, now), { message: /--since must be a duration/ })
})

test('what several replicas tell is told once, with the end where one of them knows it', t => {
  const { endedAt: _, outcome: __, ...begun } = operationRecord('1', '2026-01-01T00:00:00.000Z')
  const ended = operationRecord('1', '2026-01-01T00:00:00.000Z')
  const other = operationRecord('2', '2026-01-01T00:00:01.000Z')
  const answers = [
    { records: [ended], running: [] },
    { records: [begun, other], running: ['2'], incomplete: 'why' },
  ]
  t.deepEqual(joinedHistory(answers, 10), { records: [ended, other], running: ['2'], incomplete: 'why' })
  t.deepEqual(joinedHistory(answers, 1).records, [other])
})
