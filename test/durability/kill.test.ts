import test from 'ava'
import { survives } from './survival.ts'

test('kill -9 at random moments while 20 machines are deployed and deleted: nothing lost, doubled or left over', async t => {
  t.timeout(120_000)
  await survives(t, {
    seed: 1,
    hosts: 2,
    machines: 20,
    networks: 2,
    kills: 4,
    killsWhileDeleting: 1,
    longestLife: 1_500,
    patience: 30_000,
  })
})
