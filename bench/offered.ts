/** Creates machines at a fixed rate on an empty cloud, whatever the answers take, and times each until it is Ready. */
import { setTimeout as pause } from 'node:timers/promises'
import { VirtualMachine } from '../crds/compute/virtual-machine.ts'
import { isTrue } from '../crds/meta.ts'
import { prepare } from './burst.ts'
import { LargeCloud, machine } from './large-cloud.ts'
import { benchRequest, percentile, sizeOf, tellFinding, until } from './measurement.ts'

const request = benchRequest()
const size = { hosts: sizeOf(request, 'hosts'), machines: sizeOf(request, 'machines') }
const perSecond = sizeOf(request, 'perSecond')
/** How often it is looked who has become Ready, in ms: as finely is measured. */
const resolution = 10

await using cloud = await LargeCloud.start()
await prepare(cloud, size)
const { client } = cloud
/** When each machine was due, by key, as long as it is not Ready. */
const waiting = new Map<string, number>()
const samples: number[] = []
let mostWaiting = 0
let offered = 0

const began = performance.now()
const watching = until('all machines are Ready', () => takeReady() === size.machines, { every: resolution })
const creations: Promise<unknown>[] = []
while (offered < size.machines) {
  // Those that are due by now, also where this loop itself came late: the wait counts from when they were due.
  const due = Math.min(size.machines, Math.floor(((performance.now() - began) * perSecond) / 1000))
  for (; offered < due; offered++) {
    const manifest = machine(offered)
    waiting.set(`${manifest.metadata.namespace}/${manifest.metadata.name}`, began + (offered * 1000) / perSecond)
    creations.push(client.create(VirtualMachine, manifest))
  }
  await pause(1)
}
const offeredSeconds = (performance.now() - began) / 1000
await Promise.all([...creations, watching])

tellFinding({
  name: 'offered',
  size: { ...size, perSecond },
  figures: {
    readyP50Seconds: percentile(samples, 50),
    readyP99Seconds: percentile(samples, 99),
    readyMostSeconds: percentile(samples, 100),
    offeredPerSecond: size.machines / offeredSeconds,
    mostWaiting,
    violations: cloud.simulator.world.invariants().length,
  },
})

/** Times those that have become Ready since the last look. Answers how many are. */
function takeReady(): number {
  mostWaiting = Math.max(mostWaiting, waiting.size)
  const { desired } = cloud.plane.engine
  for (const [key, due] of waiting) {
    const object = desired.get(VirtualMachine, key)
    if (object === undefined || !isTrue(object, 'Ready')) continue
    waiting.delete(key)
    samples.push((performance.now() - due) / 1000)
  }
  return samples.length
}
