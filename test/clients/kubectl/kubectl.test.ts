/** What kubectl does with the server: the one that a shell finds. Others: test/real/clients/. */
import test from 'ava'
import { skipped } from '../../skipped.ts'
import { changing } from './changing.ts'
import { tellStories } from './kubectl.ts'
import { kubectlOnPath } from './programs.ts'
import { reading } from './reading.ts'

const program = kubectlOnPath()

if (program === undefined) skipped(test, 'what kubectl does', ['kubectl'])
else tellStories(test, program, { ...reading, ...changing })
