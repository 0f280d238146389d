import test from 'ava'
import { conformance } from '../../drivers/conformance.ts'
import type { ConformanceFixture } from '../../drivers/conformance-rig.ts'
import { skipped } from '../../skipped.ts'
import { missingForGuests } from '../lab/libvirt.ts'
import { startKVMFixture } from './fixture.ts'

const missing = missingForGuests()

/** One host at a time: the tests of a file run side by side, and two cores do not carry fifty hypervisors. */
let last = Promise.resolve()

async function oneAtATime(): Promise<ConformanceFixture> {
  const before = last
  const turn = Promise.withResolvers<void>()
  last = turn.promise
  await before
  const fixture = await startKVMFixture().catch(error => {
    turn.resolve()
    throw error
  })
  return {
    ...fixture,
    async [Symbol.asyncDispose]() {
      await fixture[Symbol.asyncDispose]()
      turn.resolve()
    },
  }
}

if (missing.length > 0) {
  skipped(test, 'the conformance suite on KVM', missing)
} else {
  conformance(test, 'KVM', oneAtATime)
}
