/** `npm run kills -- --kills 500`: kills the API server under load so often, and keeps what came of it. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { projectPath } from '../../../cli/repository.ts'
import { circumstances } from './circumstances.ts'
import { killUnderLoad } from './kills.ts'

const { values } = parseArgs({ options: { kills: { type: 'string', default: '500' } } })
// What runs is what is there when it begins: files may change later.
const where = circumstances()
const began = performance.now()
const chance = () => Math.random()
const found = await killUnderLoad({ kills: Number(values.kills), writers: 16, longestLife: 1_000, chance })
const seconds = Math.round((performance.now() - began) / 1000)
const result = `${JSON.stringify({ name: 'kills', ...found, seconds, ...where }, undefined, 2)}\n`
process.stdout.write(result)
writeFileSync(projectPath('bench/results/kills.json'), result)
process.exitCode = found.lost.length === 0 ? 0 : 1
