import { generate } from './generate/scenario.ts'
import { run } from './run.ts'
const mode = process.argv[2]
function cpu() { const u = process.cpuUsage(); return (u.user + u.system) / 1000 }
for (let round = 0; round < 12; round++) {
  const s = generate(4 + round, { minutes: 0.05 })
  const t = cpu()
  const counts: Record<string, number> = {}
  const o = await run(mode === 'idle' ? { ...s, minutes: 600 } : s, { opening: mode !== 'close', plantTransport: t => ({ ...t, request: r => { const p = r.path.split('?')[0]!.split('/'); const k = r.method + ' ' + (p.includes('status') ? 'status' : '') + (r.path.includes('events') ? 'events' : ''); counts[k] = (counts[k] ?? 0) + 1; return t.request(r) } }) })
  if (round > 6) console.log(Math.round(cpu() - t), o.writes, o.minutes, JSON.stringify(counts), JSON.stringify(o.operations), o.failure ?? '')
}
