import { readFileSync } from 'node:fs'
import { run } from '/tmp/wt/sim/test/simulation/run.ts'
const s = JSON.parse(readFileSync(process.argv[2]!, 'utf8'))
const lines: string[] = []
let at = () => 0
const o = await run(s, { onStep: (i, c) => { at = () => (c.environment.clock.monotonic()-1_000_000)/60000; if (process.env.VERBOSE) { const take = c.stored.take.bind(c.stored); if (!(c as any).tapped) { (c as any).tapped = true; c.stored.take = (r: any) => { lines.push(at().toFixed(5)+' W '+r.resource+' '+r.key+' '+(r.value===undefined?'deleted':JSON.stringify(summary(JSON.parse(Buffer.from(r.value).toString()))))); take(r) }; const rec = c.simulator.world.journal.record.bind(c.simulator.world.journal); c.simulator.world.journal.record = (e: any) => { lines.push(at().toFixed(5)+' J '+e.source+' '+e.action+' '+e.place+' '+e.identity+' '+e.outcome+(e.changed?' changed':'')); rec(e) } } } } })
function summary(o: any) { return o.kind==='Allocation' ? o.spec : [o.metadata?.deletionTimestamp ? 'deleting':'', ...(o.status?.conditions ?? []).filter((c: any) => c.status !== 'True' || c.type==='Stalled').map((c: any) => `${c.type}=${c.status}:${c.reason}:${c.message}`)] }
for (const l of lines) console.log(l)
console.log(o.failure, o.writes, o.minutes)
