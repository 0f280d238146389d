/** Writes objects until it is killed, and says each name once its write is answered. */

import { openSQLiteLog } from '../../../apiserver/storage/sqlite-log.ts'
import { Store } from '../../../apiserver/storage/store.ts'

const [path = '', round = ''] = process.argv.slice(2)
const store = await Store.open(await openSQLiteLog(path), { compactionThreshold: 100 })
const padding = 'x'.repeat(1_000)

async function lane(number: number): Promise<void> {
  for (let index = 0; ; index++) {
    const name = `${round}-${number}-${index}`
    await store.put('samples', name, { apiVersion: 'v1', kind: 'Sample', metadata: { name, uid: name }, padding })
    process.stdout.write(`${name}\n`)
    // Rewriting one object makes compaction run meanwhile.
    await store.put('samples', 'busy', { apiVersion: 'v1', kind: 'Sample', metadata: { name: 'busy' }, index })
  }
}

await Promise.all([1, 2, 3, 4].map(lane))
