/** What kubectl does with the server, in every version of it that this machine has: `npm run build:clients` gets more. */
import test from 'ava'
import { changing } from '../../clients/kubectl/changing.ts'
import { startKubectl } from '../../clients/kubectl/kubectl.ts'
import { otherKubectls } from '../../clients/kubectl/programs.ts'
import { reading } from '../../clients/kubectl/reading.ts'
import { skipped } from '../lab/skipped.ts'

const programs = otherKubectls()

if (programs.length === 0) skipped(test, 'kubectl in other versions', ['npm run build:clients'])

for (const program of programs) {
  for (const [title, story] of Object.entries({ ...reading, ...changing })) {
    test(`kubectl 1.${program.minor} ${title}`, async t => story(t, await startKubectl(t, program)))
  }
}
