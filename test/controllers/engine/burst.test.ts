import test from 'ava'
import { createAPIServer } from '../../../apiserver/server.ts'
import { memoryLog } from '../../../apiserver/storage/durable-log.ts'
import { projectPath } from '../../../cli/repository.ts'
import { createClient } from '../../../controllers/api/client.ts'
import { inProcessTransport } from '../../../controllers/api/in-process-transport.ts'
import type { Transport } from '../../../controllers/api/transport.ts'
import { startControlPlane } from '../../../controllers/control-plane.ts'
import { readDefinitions } from '../../../controllers/install.ts'
import { createLogger } from '../../../controllers/log.ts'
import { VirtualMachine } from '../../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import { isTrue } from '../../../crds/meta.ts'
import { createSimulator } from '../../../drivers/simulator/simulator.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { applyAll, doubles } from '../../durability/survival.ts'
import { cloudOf, deployment, networks } from '../../durability/workload.ts'

const count = 600
const networkCount = 10

test(`${count} machines in one burst: no name is taken twice, no address is given twice, no claim is left over`, async t => {
  t.timeout(120_000)
  const environment = virtualEnvironment(7)
  const complete = async <T>(promise: Promise<T>) => (await environment.until(promise)) as T
  const server = await complete(createAPIServer({ log: memoryLog(), environment }))
  const direct = inProcessTransport(request => server.handle(request))
  const refused: string[] = []
  const watching: Transport = {
    ...direct,
    async request(request) {
      const answer = await direct.request(request)
      if (answer.status === 409) refused.push(`${request.method} ${request.path} ${Buffer.from(answer.body)}`)
      return answer
    },
  }
  const simulator = createSimulator({ environment, seed: 7, timing: 'None' })
  const plane = await complete(
    startControlPlane({
      transport: watching,
      installation: { id: 'installation-1' },
      environment,
      crds: readDefinitions(projectPath('manifests/crds')),
      drivers: { Simulator: simulator.driver },
      logger: createLogger({ level: 'silent', clock: environment.clock }),
    }),
  )
  const client = createClient(direct)
  await complete(applyAll(client, [...cloudOf(20), ...networks(networkCount)]))
  await environment.advance(10_000)
  const wishes = Array.from({ length: count }, (_, index) => deployment(index, networkCount))
  await complete(Promise.all(wishes.map(objects => applyAll(client, objects))))
  const isReady = async () => (await client.list(VirtualMachine)).items.every(machine => isTrue(machine, 'Ready'))
  for (let second = 0; second < 120 && !(await complete(isReady())); second += 5) await environment.advance(5_000)

  t.true(await complete(isReady()))
  t.deepEqual(
    refused.filter(line => line.includes('AlreadyExists')),
    [],
  )
  const world = simulator.world.list()
  t.is(world.machines.length, count + networkCount)
  t.deepEqual(doubles(world), [])
  t.deepEqual(simulator.world.invariants(), [])
  const allocations = (await complete(client.list(Allocation))).items
  const byType = Map.groupBy(allocations, ({ spec }) => spec.type)
  t.is(byType.get('IP')?.length, count)
  t.is(byType.get('Machine')?.length, count + networkCount)
  t.is(byType.get('Volume')?.length, 2 * count)
  await complete(plane.stop())
  await complete(server.close())
})
