import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { realEnvironment } from '../../../cli/environment.ts'
import type { AcceptedOperation } from '../../../controllers/observation/hooks.ts'
import { createMongoStore } from '../../../controllers/records/mongo-store.ts'
import type { RecordStore } from '../../../controllers/records/record-store.ts'
import { createRecorder } from '../../../controllers/records/recorder.ts'
import { run as runCommand, start } from '../../cli/command.ts'
import { listeningLogger } from '../../controllers/observation/fake-driver.ts'
import { operationRecord } from '../../controllers/records/samples.ts'
import { until } from '../../until.ts'
import { MongoServer, missingForMongo } from './mongo-server.ts'

const missing = await missingForMongo()
const needing = missing === undefined ? test.serial : test.serial.skip
const note = missing === undefined ? '' : ` (skipped: needs ${missing})`

async function withServer(use: (server: MongoServer, directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'skystead-mongo-'))
  const server = await MongoServer.in(directory)
  try {
    await use(server, directory)
  } finally {
    await server.kill()
    await rm(directory, { recursive: true })
  }
}

async function idsOf(store: RecordStore, query: Partial<Parameters<RecordStore['query']>[0]> = {}) {
  return (await store.query({ limit: 100, ...query })).map(({ id }) => id)
}

const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`
const { namespace: _, ...host } = operationRecord('3', at(3), { kind: 'Host', name: 'host-1' })
const gap = { type: 'Gap', id: 'g', at: at(4), until: at(5), lost: 7 } as const

needing(`records in MongoDB are found by object, type and time, replaced by id and let go by age${note}`, t =>
  withServer(async server => {
    await server.start()
    const store = createMongoStore({ url: server.url })
    const { endedAt: __, outcome: ___, ...begun } = operationRecord('1', at(1))
    await store.append([begun])
    await store.append([operationRecord('1', at(1)), operationRecord('2', at(2), { name: 'web-2' }), host, gap])
    t.deepEqual(await store.query({ limit: 1, until: at(2) }), [operationRecord('1', at(1))])
    t.deepEqual(await idsOf(store, { subject: { kind: 'VirtualMachine', namespace: 'shop', name: 'web-2' } }), [
      '2',
      'g',
    ])
    t.deepEqual(await idsOf(store, { subject: { kind: 'Host', name: 'host-1' } }), ['3', 'g'])
    t.deepEqual(await idsOf(store, { types: ['Operation'], limit: 2 }), ['2', '3'])
    t.deepEqual(await idsOf(store, { since: '2026-01-01T00:00:02Z', until: '2026-01-01T00:00:04Z' }), ['2', '3'])
    await store.prune(at(3))
    t.deepEqual(await idsOf(store), ['3', 'g'])
    await store.close()
  }),
)

needing(
  `a server that goes away again and again: what was kept stays, what waited follows, what was lost is counted${note}`,
  t =>
    withServer(async server => {
      t.timeout(240_000)
      const { clock, random } = realEnvironment()
      const { lines, logger } = listeningLogger()
      let dropped = 0
      const metrics = { recordsWritten: () => undefined, recordsDropped: (count: number) => void addDropped(count) }
      const addDropped = (count: number) => {
        dropped += count
      }
      const store = createMongoStore({ url: server.url })
      const recorder = createRecorder({ environment: { clock, random }, logger, store, metrics, mostPending: 40 })
      t.teardown(() => recorder.stop())
      let done = 0
      const perform = () => {
        const follower = recorder.accepted(operationOf(++done))
        follower.began()
        follower.ended({ outcome: 'Succeeded' })
      }
      for (let round = 0; round < 3; round++) {
        await server.start()
        perform()
        await until('the records', async () => recorder.state().pending === 0)
        await server.kill()
        const began = clock.monotonic()
        for (let count = 0; count < 60; count++) perform()
        t.true(clock.monotonic() - began < 1_000, 'nobody waits for a dead server')
        await until('the failure', async () => recorder.state().failing)
      }
      await server.start()
      await until('the records', async () => recorder.state().pending === 0, { limit: 120_000 })
      const records = await store.query({ limit: 1_000 })
      const operations = records.filter(({ type }) => type === 'Operation')
      const lost = records.reduce((sum, record) => sum + (record.type === 'Gap' ? record.lost : 0), 0)
      t.true(dropped > 0)
      t.is(lost, dropped)
      t.is(operations.length + dropped, done, 'every operation is kept or counted as lost')
      t.true(lines.some(line => line.startsWith('records cannot be written')))
      t.true(lines.some(line => line.startsWith('records are written again')))
      await recorder.stop()
    }),
)

needing(`a cloud comes up while its record store is dead, and tells of it when the store is back${note}`, t =>
  withServer(async (server, directory) => {
    t.timeout(240_000)
    const home = join(directory, 'home')
    const cloud = start('up', '--home', home, '--port', '0', '--query-port', '0', '--records', server.url)
    await cloud.says('Try:')
    await server.start()
    const isComplete = async () => {
      const listed = await runCommand('operations', '--object', 'vm/shop/web-1', '--home', home, '-o', 'json')
      const { incomplete, records } = JSON.parse(listed.out)
      const verbs = records.map(({ verb }: { readonly verb?: string }) => verb)
      return incomplete === undefined && verbs.includes('DefineMachine')
    }
    await until('a complete history', isComplete)
    const store = createMongoStore({ url: server.url })
    await until('the records in the store', async () => (await store.query({ limit: 100 })).length > 5)
    await store.close()
    t.is((await cloud.end()).code, 0)
  }),
)

function operationOf(number: number): AcceptedOperation {
  return {
    operation: `m${number}/StartMachine/0`,
    verb: 'StartMachine',
    endpoint: 'Host/a',
    endpointName: 'host-1',
    identity: `m${number}`,
    requester: { kind: 'VirtualMachine', namespace: 'shop', name: `m${number}`, uid: 'u', generation: 1 },
  }
}
