/** Machines per second from manifest to Ready in one burst, writes for each, memory, and a restart to steady. */
import { VirtualMachine } from '../crds/compute/virtual-machine.ts'
import { Host } from '../crds/infrastructure/host.ts'
import type { AnyKind } from '../crds/define-kind.ts'
import { isTrue } from '../crds/meta.ts'
import { type CloudSize, infrastructure, LargeCloud, machine, networks } from './large-cloud.ts'

const size: CloudSize = { hosts: Number(process.argv[2] ?? 2_000), machines: Number(process.argv[3] ?? 10_000) }
await using cloud = await LargeCloud.start()
const figures: Record<string, number> = {}

figures.hostsSeconds = await seconds(async () => {
  await cloud.create(infrastructure(size))
  await untilReady(Host, size.hosts)
})
for (const objects of networks(size)) await cloud.create(objects)
cloud.writes.clear()
const cpuBefore = process.cpuUsage()
figures.burstSeconds = await seconds(async () => {
  await cloud.create(Array.from({ length: size.machines }, (_, index) => machine(index)))
  figures.createdSeconds = 0
  await untilReady(VirtualMachine, size.machines)
})
const cpu = process.cpuUsage(cpuBefore)
figures.machinesPerSecond = Math.round(size.machines / figures.burstSeconds)
figures.cpuSeconds = (cpu.user + cpu.system) / 1e6
const writes = [...cloud.writes.values()].reduce((sum, count) => sum + count, 0)
figures.writesPerMachine = Math.round((10 * writes) / size.machines) / 10 + 1
figures.memoryMiB = Math.round(process.memoryUsage().rss / 2 ** 20)
console.error(Object.fromEntries([...cloud.writes].sort()))
figures.restartSeconds = await seconds(async () => {
  await cloud.stopAll()
  await cloud.startAll()
})
console.log(JSON.stringify({ name: 'burst', size, figures }))
console.error(cloud.simulator.world.invariants().slice(0, 5))

async function seconds(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return Math.round(performance.now() - began) / 1000
}

async function untilReady(kind: AnyKind, count: number): Promise<void> {
  for (;;) {
    let ready = 0
    for (const object of cloud.plane.engine.desired.all(kind)) if (isTrue(object, 'Ready')) ready += 1
    if (process.env.VERBOSE) console.error(kind.kind, ready, Math.round(process.memoryUsage().rss / 2 ** 20))
    if (ready === count) return
    await new Promise(resolve => setTimeout(resolve, process.env.VERBOSE ? 2000 : 50))
  }
}
