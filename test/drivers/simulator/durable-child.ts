/**
 * A process that works on a durable world until it is killed: it prints every operation's answer once it has it.
 * Arguments: the world's file, and a number that makes this run's identities its own.
 */
import { writeSync } from 'node:fs'
import { realEnvironment } from '../../../cli/environment.ts'
import { operation } from '../../../drivers/contract/operation.ts'
import { openDurableStore } from '../../../drivers/simulator/durable-store.ts'
import { createSimulator } from '../../../drivers/simulator/simulator.ts'
import { hostEndpoint, poolEndpoint } from './fixture.ts'
import { create, define, definition, patient } from './virtual-world.ts'

const [path = '', run = ''] = process.argv.slice(2)
const store = openDurableStore(path)
const simulator = createSimulator({ environment: realEnvironment(), store, timing: 'None', seed: 1 })
const [host, pool] = [hostEndpoint('host-1'), poolEndpoint('primary-1')]
const [machines, volumes] = [simulator.driver.connect(host), simulator.driver.connect(pool)]

function tell(answered: { readonly identity: string; readonly facts: unknown }): void {
  // Synchronous: a line that was printed was printed before the kill.
  writeSync(1, `${JSON.stringify(answered)}\n`)
}

async function deploy(index: number): Promise<void> {
  const [machine, volume] = [`machine-${run}-${index}`, `volume-${run}-${index}`]
  tell({ identity: volume, facts: await volumes.perform(create(pool, volume), patient()) })
  const disks = [{ identity: volume, pool: pool.key, name: 'root' }]
  const wish = define(host, machine, { definition: definition({ disks }), power: 'Running' })
  tell({ identity: machine, facts: await machines.perform(wish, patient()) })
  if (index % 3 !== 0) return
  const target = { endpoint: host.key, identity: machine }
  const off = operation('StopMachine', target, { identity: machine, epoch: 1, mode: 'Forced' })
  tell({ identity: machine, facts: await machines.perform(off, patient()) })
  const remove = operation('RemoveMachine', target, { identity: machine, epoch: 1 })
  await machines.perform(remove, patient())
  tell({ identity: machine, facts: 'Gone' })
}

writeSync(1, `${JSON.stringify({ identity: 'ready', facts: undefined })}\n`)
for (let index = 0; ; index += 4) await Promise.all([0, 1, 2, 3].map(each => deploy(index + each)))
