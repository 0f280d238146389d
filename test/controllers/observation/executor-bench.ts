/** An executor at a fake host and a fake pool. */
import { createExecutor, type ExecutorOptions } from '../../../controllers/observation/executor.ts'
import type { OperationListener } from '../../../controllers/observation/hooks.ts'
import { createObservedCache } from '../../../controllers/observation/observed-cache.ts'
import { createObserver } from '../../../controllers/observation/observer.ts'
import { DriverError } from '../../../drivers/contract/errors.ts'
import type { Answer, Operation } from '../../../drivers/contract/operation.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { fakeDriver, listeningLogger } from './fake-driver.ts'
import {
  hostA,
  hostEndpoint,
  hostListing,
  installation,
  pool,
  poolEndpoint,
  poolListing,
  powerA,
  powerEndpoint,
} from './samples.ts'

/** A host and a pool, listed and answering; time stands still. */
export async function bench(options: Partial<ExecutorOptions> = {}) {
  const environment = virtualEnvironment()
  const told: string[] = []
  const cache = createObservedCache({ installation, environment, notify: topic => told.push(topic) })
  const fake = fakeDriver(environment.clock)
  const { lines, logger } = listeningLogger()
  const observer = createObserver({ cache, drivers: () => fake.driver, environment, logger })
  const executor = createExecutor({ cache, observer, environment, logger, ...options })
  fake.at(hostA).inventory = hostListing([])
  fake.at(pool).inventory = poolListing([])
  fake.at(powerA).inventory = { type: 'PowerController', power: 'On' }
  observer.declare('all', [hostEndpoint(hostA), poolEndpoint([hostA]), powerEndpoint(powerA, hostA)])
  await environment.advance(0)
  told.length = 0
  const tellings = (topic: string) => told.filter(each => each === topic).length
  return { environment, cache, fake, observer, executor, told, tellings, lines, clock: environment.clock }
}

/** Operations of a fake endpoint that the test answers itself. */
export function answeredByHand() {
  const given: { operation: Operation; answer: (answer: Answer) => void; fail: (error: unknown) => void }[] = []
  const perform = (operation: Operation) =>
    new Promise<Answer>((answer, fail) => {
      given.push({ operation, answer, fail })
    })
  return { given, perform }
}

/** What a listener hears, as `<identity> <accepted, began or outcome>` and in full. */
export function listening() {
  const heard: string[] = []
  const told: unknown[] = []
  const listener: OperationListener = {
    accepted(operation) {
      const { identity } = operation
      told.push(operation)
      heard.push(`${identity} accepted`)
      return {
        began: () => void heard.push(`${identity} began`),
        ended(end) {
          told.push(end)
          heard.push(`${identity} ${end.outcome}`)
        },
      }
    },
  }
  return { heard, told, listeners: [listener] }
}

/** Who wants what. */
export const by = { kind: 'VirtualMachine', namespace: 'default', name: 'm', uid: 'uid-m', generation: 1 }

/** Carries out nothing: rejects with an error of the code. */
export const failing = (code: DriverError['code']) => () => Promise.reject(new DriverError(code, `it is ${code}`))
