import { generate } from './generate/scenario.ts'
import { run } from './run.ts'
const [from = 1, count = 5, minutes = 60] = process.argv.slice(2).map(Number)
const classes = process.env.CLASSES === undefined ? {} : { classes: process.env.CLASSES.split(',').filter(Boolean) as [] }
function cpu() { const u = process.cpuUsage(); return (u.user + u.system) / 1000 }
for (let seed = from; seed < from + count; seed++) {
  const t = cpu()
  const outcome = await run(generate(seed, { minutes, ...classes }), { logLevel: (process.env.LOG ?? 'silent') as 'silent' })
  const ms = cpu() - t
  console.log(seed, Math.round(ms), 'ms', (outcome.minutes / ms * 1000).toFixed(0), 'min/s', outcome.writes, 'writes', outcome.trace, outcome.minutes.toFixed(1), 'min', outcome.failure ?? '')
}
