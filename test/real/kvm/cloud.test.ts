/** A real guest through the whole control plane: manifests in by kubectl, libvirt and the guest's serial console looked at. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import ava, { type ExecutionContext, type TestFn } from 'ava'
import { VirtualMachine } from '../../../crds/compute/virtual-machine.ts'
import { conditionOf, isTrue, type Resource } from '../../../crds/meta.ts'
import { Network } from '../../../crds/network/network.ts'
import { Volume } from '../../../crds/storage/volume.ts'
import { skipped } from '../../skipped.ts'
import { until } from '../../until.ts'
import { missingForGuests } from '../lab/libvirt.ts'
import { KVMCloud, namespace, rootDiskBytes } from './kvm-cloud.ts'

interface Context {
  cloud: KVMCloud
  /** One object for all tests: each continues where the one before has left the machine `web`. */
  web: {
    /** Its identity, and so its UUID at libvirt. */
    machine: string
    /** How often its guest has booted. */
    boots: number
  }
}

const test = ava as TestFn<Context>
const missing = [...missingForGuests(), ...(existsSync('/usr/bin/kubectl') ? [] : ['package kubernetes-client'])]

if (missing.length > 0) {
  skipped(test, 'a real guest through the control plane', missing)
} else {
  test.before(async t => {
    t.context = { cloud: await KVMCloud.start(), web: { machine: '', boots: 0 } }
  })
  test.after.always(async t => {
    await t.context.cloud[Symbol.asyncDispose]()
  })
  story()
}

/** Waits until `web` has booted once more. */
async function bootedAgain({ context: { cloud, web } }: ExecutionContext<Context>): Promise<void> {
  web.boots += 1
  await cloud.booted(web.machine, web.boots)
}

function story(): void {
  test.serial('a described host, network and machine are Ready, and the guest is up', async t => {
    const { cloud } = t.context
    await cloud.describe()
    await cloud.ready()
    t.context.web.machine = (await cloud.object(VirtualMachine, 'web')).metadata.uid
    const root = (await cloud.object(Volume, 'web-root')).metadata.uid
    await bootedAgain(t)
    const said = await cloud.consoleText(t.context.web.machine)
    t.regex(said, new RegExp(`disks=vda:${rootDiskBytes / 512}:${root.replaceAll('-', '').slice(0, 20)} `))
    const mac = (await cloud.object(VirtualMachine, 'web')).status?.nics?.[0]?.macAddress
    t.regex(said, new RegExp(`nics=${mac} `))
    const [head = '', row = ''] = (await cloud.kubectl('get', 'vm', '-n', namespace)).split('\n')
    t.deepEqual(head.split(/ +/).slice(0, 4), ['NAME', 'POWER', 'ADDRESS', 'HOST'])
    t.regex(row, /^web +Running +(<none> +)?kvm-host +True /)
    t.regex(await cloud.lab.virsh('dumpxml', t.context.web.machine), /<domain type='qemu'/)
  })

  test.serial('a destroy behind our back is seen by event: the machine starts again within three seconds', async t => {
    const { cloud } = t.context
    const { machine } = t.context.web
    const domain = (await cloud.lab.virsh('domname', machine)).trim()
    const before = await cloud.lab.qemuPid(domain)
    await cloud.lab.virsh('destroy', machine)
    const destroyed = performance.now()
    // Listings are minutes apart: only an event can tell in this time.
    await until(
      'another QEMU',
      async () => {
        const pid = await cloud.lab.qemuPid(domain).catch(() => before)
        return pid !== 0 && pid !== before
      },
      { limit: 3_000 },
    )
    t.log(`QEMU ran again ${Math.round(performance.now() - destroyed)} ms after virsh returned`)
    await bootedAgain(t)
    await cloud.settled(VirtualMachine, 'web', 'PowerApplied', 'Running')
    t.is(await cloud.state(machine), 'running')
  })

  test.serial('under OnFailure a guest whose QEMU dies is started again', async t => {
    const { cloud } = t.context
    const { machine } = t.context.web
    await cloud.patch('vm', 'web', { runStrategy: 'OnFailure' })
    await cloud.settled(VirtualMachine, 'web', 'Ready', 'Ready')
    process.kill(await cloud.lab.qemuPid((await cloud.lab.virsh('domname', machine)).trim()), 'SIGKILL')
    await bootedAgain(t)
    t.is(await cloud.state(machine), 'running')
  })

  test.serial(
    'under OnFailure a guest that shuts itself down stays off, also when the control plane is killed',
    async t => {
      const { cloud } = t.context
      const { machine, boots } = t.context.web
      await cloud.settled(VirtualMachine, 'web', 'PowerApplied', 'Running')
      await cloud.shutDownFromInside(machine)
      const ended = await cloud.settled(VirtualMachine, 'web', 'PowerApplied', 'EndedByGuest')
      t.is(ended.status?.powerState, 'Off')
      t.true(isTrue(ended, 'Ready'))
      await cloud.skystead.kill()
      await cloud.skystead.start()
      // An edit that means nothing to power: once it is judged, so is everything that the new process has seen.
      await cloud.patch('vm', 'web', { shutdownTimeout: '60s' })
      const later = await cloud.settled(VirtualMachine, 'web', 'PowerApplied', 'EndedByGuest')
      t.is(later.status?.powerState, 'Off')
      t.is(await cloud.state(machine), 'shut off')
      t.is((await cloud.consoleText(machine)).match(/GUEST READY/g)?.length, boots)
    },
  )

  test.serial('under Always a machine that is off is started, and again when its guest shuts itself down', async t => {
    const { cloud } = t.context
    const { machine } = t.context.web
    await cloud.patch('vm', 'web', { runStrategy: 'Always' })
    await bootedAgain(t)
    await cloud.shutDownFromInside(machine)
    await bootedAgain(t)
    const web = await cloud.settled(VirtualMachine, 'web', 'PowerApplied', 'Running')
    t.is(web.status?.powerState, 'Running')
  })

  test.serial('under Once a guest that shuts itself down while nobody looks stays off', async t => {
    const { cloud } = t.context
    const { machine } = t.context.web
    await cloud.patch('vm', 'web', { runStrategy: 'Once' })
    await cloud.settled(VirtualMachine, 'web', 'Ready', 'Ready')
    await cloud.skystead.kill()
    await cloud.shutDownFromInside(machine)
    await until('the end of the machine', async () => (await cloud.state(machine)) === 'shut off')
    await cloud.skystead.start()
    const web = await cloud.settled(VirtualMachine, 'web', 'PowerApplied', 'Ended')
    t.is(web.status?.powerState, 'Off')
    t.is(await cloud.state(machine), 'shut off')
  })

  test.serial('a volume is attached to a running guest, grows under it, and is detached', async t => {
    const { cloud } = t.context
    const { machine } = t.context.web
    await cloud.patch('vm', 'web', { runStrategy: 'Always', volumes: [{ name: 'data', volumeName: 'data' }] })
    await bootedAgain(t)
    await cloud.patch('vm', 'web', { volumes: [] })
    await cloud.settled(Volume, 'data', 'Attached', 'NotYetAttached')
    await cloud.patch('vm', 'web', { volumes: [{ name: 'data', volumeName: 'data' }] })
    await cloud.settled(Volume, 'data', 'Attached', 'Attached')
    await cloud.ask(machine, 'cat /sys/block/vdb/size', /\n16384\r/)
    await cloud.patch('vol', 'data', { size: '16Mi' })
    await cloud.ask(machine, 'cat /sys/block/vdb/size', /\n32768\r/)
    const grown = await cloud.settled(Volume, 'data', 'Provisioned', 'Provisioned')
    t.like(grown.status, { size: '16Mi', virtualMachineName: 'web', poolName: 'kvm-disks' })
    await cloud.patch('vm', 'web', { volumes: [] })
    const freed = await cloud.settled(Volume, 'data', 'Attached', 'NotYetAttached')
    t.is(freed.status?.virtualMachineName, undefined)
    t.notRegex(await cloud.lab.virsh('domblklist', machine), new RegExp(freed.metadata.uid))
    t.true((await readdir(cloud.poolDirectory)).includes(`${freed.metadata.uid}.qcow2`))
  })

  test.serial('Halted asks the guest to shut down', async t => {
    const { cloud } = t.context
    const { machine } = t.context.web
    const before = (await cloud.consoleText(machine)).length
    await cloud.patch('vm', 'web', { runStrategy: 'Halted' })
    const web = await cloud.settled(VirtualMachine, 'web', 'PowerApplied', 'Halted')
    t.is(web.status?.powerState, 'Off')
    t.regex((await cloud.consoleText(machine)).slice(before), /GUEST HALTING/)
    t.true(isTrue(web, 'Ready'))
  })

  test.serial('what KVM cannot do yet is Stalled/NotSupportedYet and names the field', async t => {
    const { cloud } = t.context
    const path = await cloud.write('unsupported.yaml', unsupported(cloud.lab.bridge))
    await cloud.kubectl('apply', '-f', path)
    const refusals = [
      [VirtualMachine, 'with-user-data', /spec\.userData\b/],
      [VirtualMachine, 'in-vlan', /spec\.nics\[lan\].*VLAN/],
      [VirtualMachine, 'in-vxlan', /spec\.nics\[lan\].*VXLAN/],
      [Network, 'routed', /spec\.services\[\]\.provider.*VirtualRouter/],
      [Volume, 'fetched-root', /image\.url with https/],
    ] as const
    for (const [kind, name, field] of refusals) {
      const refused = (await cloud.settled(kind, name, 'Stalled', 'NotSupportedYet')) as Resource
      t.regex(conditionOf(refused, 'Stalled')?.message ?? '', field, name)
      t.is(conditionOf(refused, 'Ready')?.status, 'False', name)
    }
    // Mended, it runs. Its guest is still booting when it is deleted: it does not hear that it is asked.
    await cloud.patch('vm', 'with-user-data', { userData: null, shutdownTimeout: '5s' })
    await cloud.settled(VirtualMachine, 'with-user-data', 'PowerApplied', 'Running')
    await cloud.kubectl('delete', '-f', path, '--timeout=60s')
    t.deepEqual(await cloud.domains(), [t.context.web.machine])
  })

  test.serial('deletion leaves no domain, no disk and no Allocation', async t => {
    const { cloud } = t.context
    const { machine } = t.context.web
    await cloud.kubectl('delete', '-f', cloud.manifests, '--timeout=60s').catch(async error => {
      t.log(await cloud.kubectl('get', 'skystead', '-A', '-o', 'wide'))
      throw error
    })
    t.deepEqual(await cloud.domains(), [])
    t.deepEqual(await readdir(cloud.poolDirectory), [])
    t.is((await cloud.lab.virsh('pool-list', '--all', '--name')).trim(), '')
    t.deepEqual(await cloud.allocations(), [])
    t.false(await cloud.hasConsole(machine))
  })

  test.serial(
    'the API store lost and the same manifests again: no second machine until the names are rebound',
    async t => {
      const { cloud } = t.context
      await cloud.describe()
      const first = await cloud.settled(VirtualMachine, 'web', 'Ready', 'Ready')
      const identity = first.metadata.uid
      await cloud.booted(identity, 1)
      const disks = await readdir(cloud.poolDirectory)
      await cloud.skystead.kill()
      await cloud.loseStore()
      await cloud.skystead.start()
      await cloud.describe()
      const again = await cloud.settled(VirtualMachine, 'web', 'Stalled', 'IdentityConflict')
      t.not(again.metadata.uid, identity)
      t.deepEqual(await readdir(cloud.poolDirectory), disks)
      await cloud.rebind()
      const rebound = await cloud.settled(VirtualMachine, 'web', 'Ready', 'Ready')
      t.is(rebound.status?.powerState, 'Running')
      t.deepEqual(await cloud.domains(), [identity])
      t.notRegex(await cloud.consoleText(identity), /boots=2/)
      // The pool that was made anew has taken the directory over; the guest has kept its root disk, or this were no vdb.
      await cloud.patch('vm', 'web', { volumes: [{ name: 'data', volumeName: 'data' }] })
      await cloud.settled(VirtualMachine, 'web', 'Ready', 'Ready')
      await cloud.ask(identity, 'cat /sys/block/vdb/size', /\n16384\r/)
      await cloud.kubectl('delete', '-f', cloud.manifests, '--timeout=60s')
      t.deepEqual(await cloud.domains(), [])
      t.deepEqual(await readdir(cloud.poolDirectory), [])
      t.deepEqual(await cloud.allocations(), [])
    },
  )
}

function unsupported(bridge: string): string {
  const machine = (name: string, changes: string) => `
apiVersion: compute.skystead.dev/v1alpha1
kind: VirtualMachine
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  zoneName: kvm-zone
  serviceOfferingName: kvm-small
${changes}
---`
  const isolated = (name: string, isolation: string, segments: string) => `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: PhysicalNetwork
metadata: {name: kvm-${name}}
spec: {zoneName: kvm-zone, isolation: ${isolation}, segments: ["${segments}"], tags: [${name}], traffic: [{type: Guest, label: ${bridge}}]}
---
apiVersion: network.skystead.dev/v1alpha1
kind: NetworkOffering
metadata: {name: kvm-${name}}
spec: {guestType: L2, tags: [${name}]}
---
apiVersion: network.skystead.dev/v1alpha1
kind: Network
metadata: {name: ${name}, namespace: ${namespace}}
spec: {zoneName: kvm-zone, networkOfferingName: kvm-${name}}
---
${machine(`in-${name}`, `  templateRef: {kind: PublicTemplate, name: debian-13}\n  nics: [{name: lan, networkName: ${name}}]`)}`
  return `
${machine('with-user-data', '  templateRef: {kind: PublicTemplate, name: debian-13}\n  userData: "#cloud-config"')}
apiVersion: compute.skystead.dev/v1alpha1
kind: PublicTemplate
metadata: {name: kvm-fetched}
spec:
  osType: Linux
  size: 64Mi
  images: [{hypervisor: KVM, format: QCOW2, url: https://images.example.com/linux.qcow2}]
---
${machine('fetched', '  templateRef: {kind: PublicTemplate, name: kvm-fetched}')}
apiVersion: network.skystead.dev/v1alpha1
kind: Network
metadata: {name: routed, namespace: ${namespace}}
spec: {zoneName: kvm-zone, networkOfferingName: default-isolated-source-nat, cidr: 10.1.1.0/24}
---
${isolated('vlan', 'VLAN', '100-199')}
${isolated('vxlan', 'VXLAN', '5000-5999')}
`
}
