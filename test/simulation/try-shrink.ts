import { generate } from './generate/scenario.ts'
import { run } from './run.ts'
import { describeStep } from './scenario.ts'
import { shrink } from './shrink.ts'
const [seed = 1, minutes = 40, most = 150] = process.argv.slice(2).map(Number)
const classes = process.env.CLASSES === undefined ? {} : { classes: process.env.CLASSES.split(',').filter(Boolean) as [] }
const s = generate(seed, { minutes, ...classes })
const o = await run(s)
const best = await shrink(s, o, { run: each => run(each), most })
console.log(best.scenario.replicas, best.scenario.steps.length, 'steps', best.scenario.minutes, best.outcome.failure)
for (const step of best.scenario.steps) console.log(describeStep(step))
import { writeFileSync } from 'node:fs'
writeFileSync(`/tmp/seed-${seed}.json`, JSON.stringify(best.scenario))
