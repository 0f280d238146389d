/** The life of a cloud's objects as somebody who watches sees it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectPath } from '../../../cli/repository.ts'
import { VirtualMachine } from '../../../crds/compute/virtual-machine.ts'
import type { Resource } from '../../../crds/meta.ts'
import { Cloud, documentsOf, quickstart } from '../../stories/cloud.ts'

const overlapping = `
apiVersion: network.skystead.dev/v1alpha1
kind: PortForwardingRule
metadata: {name: other, namespace: shop}
spec: {publicIPName: web-ip, protocol: TCP, publicPort: 80, virtualMachineName: web-2, privatePort: 8080}
`

/** Every state that the objects were seen in: the quickstart comes up, is edited, refused, and partly deleted; then the samples. */
export async function recordedLife(): Promise<readonly Resource[]> {
  await using cloud = await Cloud.start()
  const states = new Map<string, Resource>()
  const look = async () => {
    for (const object of await cloud.everything()) {
      states.set(`${object.metadata.uid} ${object.metadata.resourceVersion}`, object)
    }
  }
  const pass = async (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 200) {
      await cloud.advance(200)
      await look()
    }
  }

  await cloud.stopControllers()
  await cloud.apply(quickstart)
  // Nobody has judged them yet.
  await look()
  await cloud.startControllers()
  await pass(60_000)
  await cloud.apply(overlapping)
  await cloud.patch(VirtualMachine, 'web-2', 'shop', { runStrategy: 'Halted' })
  await look()
  await pass(20_000)
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await look()
  await pass(10_000)
  const samples = projectPath('manifests/samples')
  for (const name of readdirSync(samples)) {
    const objects = documentsOf(readFileSync(join(samples, name), 'utf8'))
    for (const object of objects) if (object.kind !== 'Allocation') await cloud.apply(object)
  }
  await pass(5_000)
  return [...states.values()]
}
