import test from 'ava'
import { conformance } from '../conformance.ts'
import { quickTiming, simulatorFixture } from './fixture.ts'

conformance(test, 'simulator API-089', async () => simulatorFixture({ timing: quickTiming, seed: 1 }), {
  migrates: true,
})
conformance(test, 'simulator without delays', async () => simulatorFixture({ timing: 'None', seed: 2 }), {
  migrates: true,
})
