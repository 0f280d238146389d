/** A guest that plain libvirt has started is taken over while it runs, and given back running. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { projectPath } from '../../../cli/repository.ts'
import { VirtualMachine } from '../../../crds/compute/virtual-machine.ts'
import { skipped } from '../../skipped.ts'
import { until } from '../../until.ts'
import { guestImage, guestMemoryBytes, readyLine } from '../lab/guest-image.ts'
import { missingForGuests } from '../lab/libvirt.ts'
import { KVMCloud, namespace } from './kvm-cloud.ts'

const run = promisify(execFile)
const missing = [...missingForGuests(), ...(existsSync('/usr/bin/kubectl') ? [] : ['package kubernetes-client'])]
const deleteForGood = JSON.stringify({ spec: { management: { deletionPolicy: 'Delete' } } })
const mac = '52:54:00:12:34:56'

function domain(identity: string, disk: string, bridge: string): string {
  return `<domain type="qemu"><name>old-web</name><uuid>${identity}</uuid>
<memory unit="KiB">${guestMemoryBytes / 1024}</memory><vcpu>1</vcpu><os><type machine="pc">hvm</type></os>
<features><acpi/><apic/><tcg><tb-cache unit="MiB">64</tb-cache></tcg></features>
<cpu mode="custom" match="exact" check="none"><model fallback="allow">qemu64</model></cpu>
<devices>
<disk type="file" device="disk"><driver name="qemu" type="qcow2"/><source file="${disk}"/><target dev="vda" bus="virtio"/></disk>
<interface type="bridge"><mac address="${mac}"/><source bridge="${bridge}"/><model type="virtio"/></interface>
<serial type="pty"><log file="/var/log/skystead/console/${identity}.log" append="on"/></serial>
<controller type="usb" model="none"/>
</devices></domain>`
}

/** Seconds since the guest's start, as it says itself. */
async function uptime(cloud: KVMCloud, identity: string): Promise<number> {
  await cloud.ask(identity, 'echo UP:$(cut -d. -f1 /proc/uptime):', /UP:\d+:/)
  const said = [...(await cloud.consoleText(identity)).matchAll(/UP:(\d+):/g)]
  return Number(said.at(-1)?.[1])
}

async function skystead(cloud: KVMCloud, ...command: readonly string[]): Promise<string> {
  const all = [projectPath('cli/main.ts'), ...command, '--home', cloud.skystead.home]
  try {
    return (await run(process.execPath, all)).stdout
  } catch (error) {
    // A plan with changes ends with 2.
    if (error instanceof Error && 'code' in error && error.code === 2 && 'stdout' in error) return String(error.stdout)
    throw error
  }
}

if (missing.length > 0) {
  skipped(test, 'taking over a real guest', missing)
} else {
  test('a guest that runs is taken over and given back: its uptime goes on', async t => {
    await using cloud = await KVMCloud.start()
    await cloud.describe()
    await cloud.ready()
    const [identity, disk] = [randomUUID(), randomUUID()]
    const file = join(cloud.poolDirectory, `${disk}.qcow2`)
    await mkdir('/var/log/skystead/console', { recursive: true })
    await cloud.lab.image('convert', '-O', 'qcow2', (await guestImage()).path, file)
    await cloud.lab.virsh('define', await cloud.write('old.xml', domain(identity, file, cloud.lab.bridge)))
    await cloud.lab.virsh('start', identity)
    await until('the boot of the guest', async () => (await cloud.consoleText(identity)).includes(readyLine))
    const process = (await cloud.lab.virsh('domid', identity)).trim()
    const before = await uptime(cloud, identity)
    await until('the machine in the inventory', async () => (await skystead(cloud, 'inventory')).includes(identity))
    await until('the disk in the inventory', async () => (await skystead(cloud, 'inventory')).includes(disk))
    const takeover = join(cloud.lab.directory, 'takeover')
    await skystead(cloud, 'adopt', '--namespace', namespace, '--machine', 'old-web', '--directory', takeover)
    t.true((await readdir(takeover)).includes('old-web.yaml'))
    const { operations } = JSON.parse(await skystead(cloud, 'plan', '-f', takeover, '-o', 'json'))
    t.deepEqual(operations.map(({ verb }: { verb: string }) => verb).toSorted(), ['AdoptMachine', 'AdoptVolume'])
    await cloud.kubectl('apply', '-f', takeover)
    await cloud.settled(VirtualMachine, 'old-web', 'Ready', 'Ready')
    const machine = await cloud.object(VirtualMachine, 'old-web')
    t.is(machine.status?.drift, undefined)
    t.regex(await cloud.lab.virsh('dumpxml', identity), /skystead:machine/)
    t.is((await cloud.lab.virsh('domid', identity)).trim(), process)
    const during = await uptime(cloud, identity)
    t.true(during >= before)
    await cloud.kubectl('delete', 'vm.compute.skystead.dev', 'old-web', '-n', namespace, '--wait=false')
    await cloud.kubectl('delete', 'vol', 'old-web-root', '-n', namespace)
    await until('the machine without our mark', async () => {
      const left = await cloud.kubectl('get', 'vm.compute.skystead.dev', '-n', namespace, '-o', 'name')
      return !left.includes('old-web')
    })
    const xml = await cloud.lab.virsh('dumpxml', identity)
    t.notRegex(xml, /skystead:machine/)
    t.is(await cloud.state(identity), 'running')
    t.is((await cloud.lab.virsh('domid', identity)).trim(), process)
    t.true((await uptime(cloud, identity)) >= during)
    t.is([...(await cloud.consoleText(identity)).matchAll(new RegExp(readyLine, 'g'))].length, 1)
    t.true(existsSync(file))
    // Taken over again it is a machine like others: stopped, started, deleted for good.
    await cloud.kubectl('apply', '-f', takeover)
    await cloud.settled(VirtualMachine, 'old-web', 'Ready', 'Ready')
    t.is((await cloud.lab.virsh('domid', identity)).trim(), process)
    await cloud.patch('vm.compute.skystead.dev', 'old-web', { runStrategy: 'Halted', shutdownTimeout: '20s' })
    await until('the end of the guest', async () => (await cloud.state(identity)) === 'shut off')
    await cloud.patch('vm.compute.skystead.dev', 'old-web', { runStrategy: 'Always' })
    await cloud.booted(identity, 2)
    for (const kind of ['vm.compute.skystead.dev/old-web', 'vol/old-web-root']) {
      await cloud.kubectl('patch', kind, '-n', namespace, '--type=merge', '-p', deleteForGood)
    }
    await cloud.kubectl('delete', 'vm.compute.skystead.dev', 'old-web', '-n', namespace)
    await cloud.kubectl('delete', 'vol', 'old-web-root', '-n', namespace)
    t.false((await cloud.domains()).includes(identity))
    t.false(existsSync(file))
  })
}
