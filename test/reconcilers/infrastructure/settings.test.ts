import test from 'ava'
import { settingsReconciler } from '../../../reconcilers/infrastructure/settings.ts'
import { host, settings } from '../infrastructure-builders.ts'
import { judge } from '../judge.ts'
import { worldOf } from '../world-builder.ts'

test('INF-170 OPS-106 a tag for restarts that no host carries is told before the first host is lost', t => {
  const [none, some] = [settings(), settings({ restartHostTag: 'ha' })]
  const world = worldOf({ objects: [host()] })
  t.like(judge(settingsReconciler, 'RestartHostsPresent', none, world), { is: 'satisfied', reason: 'NoneReserved' })
  t.like(judge(settingsReconciler, 'RestartHostsPresent', some, world), { is: 'waiting', reason: 'NoRestartHost' })
  world.put(host({ tags: ['ssd', 'ha'] }))
  t.like(judge(settingsReconciler, 'RestartHostsPresent', some, world), { is: 'satisfied', reason: 'Present' })
})
