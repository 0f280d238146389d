import { VirtualMachine } from '../crds/compute/virtual-machine.ts'
import { Host } from '../crds/infrastructure/host.ts'
import { Network } from '../crds/network/network.ts'
import { type CloudSize, infrastructure, type LargeCloud, machine, networks } from './large-cloud.ts'
import { type Figures, secondsOf } from './measurement.ts'
import { detailsOf, sumOf, writesBetween } from './writes.ts'

/** Describes hosts and networks, and waits until all are Ready. Answers with the seconds that took. */
export async function prepare(cloud: LargeCloud, size: CloudSize): Promise<number> {
  return await secondsOf(async () => {
    await cloud.create(infrastructure(size))
    await cloud.untilReady(Host, size.hosts)
    const described = networks(size)
    for (const objects of described) await cloud.create(objects)
    await cloud.untilReady(Network, described[1]?.length ?? 0)
  })
}

/**
 * Machines per second from manifest to Ready in one burst, API writes for each, and memory. Writes are counted until
 * there was none for `quietTime` ms.
 */
export async function measureBurst(cloud: LargeCloud, size: CloudSize, quietTime: number): Promise<Figures> {
  const hostsSeconds = await prepare(cloud, size)
  await cloud.untilQuiet(quietTime)
  const before = cloud.writes.all()
  const cpuBefore = process.cpuUsage()
  let createdSeconds = 0
  const burstSeconds = await secondsOf(async () => {
    createdSeconds = await secondsOf(() =>
      cloud.create(Array.from({ length: size.machines }, (_, index) => machine(index))),
    )
    await cloud.untilReady(VirtualMachine, size.machines)
  })
  const { user, system } = process.cpuUsage(cpuBefore)
  await cloud.untilQuiet(quietTime)
  const writes = writesBetween(before, cloud.writes.all())
  return {
    machinesPerSecond: size.machines / burstSeconds,
    // One more for the manifest itself.
    writesPerMachine: sumOf(writes) / size.machines + 1,
    peakMemoryMiB: process.resourceUsage().maxRSS / 1024,
    memoryMiB: process.memoryUsage.rss() / 2 ** 20,
    burstSeconds,
    createdSeconds,
    cpuSeconds: (user + system) / 1e6,
    hostsSeconds,
    violations: cloud.simulator.world.invariants().length,
    ...detailsOf(writes),
  }
}
