/** What kubectl does with the server, in other versions of it: `npm run build:clients` gets them, SKYSTEAD_ALL_CLIENTS=1 takes all. */
import test from 'ava'
import { changing } from '../../clients/kubectl/changing.ts'
import { tellStories } from '../../clients/kubectl/kubectl.ts'
import { otherKubectls } from '../../clients/kubectl/programs.ts'
import { reading } from '../../clients/kubectl/reading.ts'
import { skipped } from '../../skipped.ts'

const found = otherKubectls()
const everyVersion = process.env.SKYSTEAD_ALL_CLIENTS === '1'
/** By default the oldest, the last that reads OpenAPI v2, and the newest: each takes a while. */
const lastOfVersionTwo = found.findLast(({ minor }) => minor < 29)
const chosen = [found[0], lastOfVersionTwo, found.at(-1)]
const programs = everyVersion ? found : found.filter(program => chosen.includes(program))

if (programs.length === 0) skipped(test, 'kubectl in other versions', ['npm run build:clients'])

for (const program of programs) tellStories(test, program, { ...reading, ...changing })
