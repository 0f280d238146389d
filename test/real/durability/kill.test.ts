import test from 'ava'
import { survives } from '../../durability/survival.ts'

test('kill -9 at 55 random moments while 200 machines are deployed and deleted: nothing lost, doubled or left over', async t => {
  t.timeout(400_000)
  await survives(t, {
    seed: 2,
    hosts: 8,
    machines: 200,
    networks: 10,
    kills: 50,
    killsWhileDeleting: 5,
    longestLife: 2_000,
    patience: 60_000,
  })
})
