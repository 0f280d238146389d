/** What kubectl does with the server: the one that a shell finds. Others: test/real/clients/. */
import test from 'ava'
import { changing } from './changing.ts'
import { tell } from './kubectl.ts'
import { kubectlOnPath } from './programs.ts'
import { reading } from './reading.ts'

const program = kubectlOnPath()

for (const [title, story] of Object.entries({ ...reading, ...changing })) {
  if (program === undefined) test.skip(`kubectl ${title} (needs kubectl)`, t => t.fail())
  else test(`kubectl ${title}`, t => tell(t, program, story))
}
