import test from 'ava'
import { Failures } from '../../../controllers/observation/failures.ts'
import { operationId } from '../../../controllers/observation/operation-id.ts'
import { DriverError } from '../../../drivers/contract/errors.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { defineMachine } from './samples.ts'

test('a failure is not that of the same operation with another secret', t => {
  const failures = new Failures(virtualEnvironment(), () => undefined)
  const [refused, mended] = [defineMachine('m', 'password: one'), defineMachine('m', 'password: two')]
  failures.add(operationId(refused), refused, new DriverError('Unsupported', 'no user data'))
  t.true(failures.holds(operationId(refused), refused))
  t.false(failures.holds(operationId(mended), mended))
  t.is(failures.of(operationId(mended), mended), undefined)
})
