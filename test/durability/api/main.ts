/** `npm run kills -- --kills 500`: kills the API server under load so often, and keeps what came of it. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { projectPath } from '../../../cli/repository.ts'
import { killUnderLoad } from './kills.ts'

const { values } = parseArgs({ options: { kills: { type: 'string', default: '500' } } })
const began = performance.now()
const chance = () => Math.random()
const result = await killUnderLoad({ kills: Number(values.kills), writers: 16, longestLife: 1_000, chance })
const seconds = Math.round((performance.now() - began) / 1000)
process.stdout.write(`${JSON.stringify({ ...result, seconds }, undefined, 2)}\n`)
writeFileSync(
  projectPath('bench/results/kills.json'),
  `${JSON.stringify({ name: 'kills', ...result, seconds }, undefined, 2)}\n`,
)
process.exitCode = result.lost.length === 0 ? 0 : 1
