import test from 'ava'
import { killUnderLoad } from '../../durability/api/kills.ts'

test('kill -9 of the API server at random moments under load: nothing that was answered is lost', async t => {
  t.timeout(300_000)
  const result = await killUnderLoad({ kills: 25, writers: 16, longestLife: 1_000, chance: () => Math.random() })
  t.deepEqual(result.lost, [])
  t.true(result.answered > 25)
})
