/** `npm run damage`: cuts a log off, and flips a bit of it, at each of its bytes, and keeps what came of it. */
import { writeFileSync } from 'node:fs'
import { projectPath } from '../../../cli/repository.ts'
import { circumstances } from './circumstances.ts'
import { recordRun } from './damage.ts'
import { damageAll } from './damage-all.ts'

const where = circumstances()
const size = { batches: 4, batchSize: 2, valueSize: 100 }
const result = `${JSON.stringify({ name: 'damage', size, ...damageAll(recordRun(size), 1), ...where }, undefined, 2)}\n`
process.stdout.write(result)
writeFileSync(projectPath('bench/results/damage.json'), result)
process.exitCode = result.includes('"wrong": []') ? 0 : 1
