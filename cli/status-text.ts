import { colourOf, type Paint, signOf } from './paint.ts'
import { qualifiedName, whyOf } from './standing.ts'
import type { CloudStatus, StatusNode, Unready } from './status-tree.ts'

/** How people call the kinds in the tree. */
const words: Readonly<Record<string, string>> = {
  Zone: 'zone',
  HostPod: 'pod',
  HostCluster: 'cluster',
  Host: 'host',
  VirtualMachine: 'machine',
  VirtualRouter: 'router',
  SystemVM: 'system VM',
  PrimaryStorage: 'storage',
  SecondaryStorage: 'image store',
  SharedNetwork: 'shared network',
  Network: 'network',
  PublicIP: 'public IP',
  Volume: 'volume',
}

/** Details that explain themselves; of the others the name is told too. */
const plain: ReadonlySet<string> = new Set([
  'power',
  'address',
  'cidr',
  'size',
  'type',
  'hypervisor',
  'role',
  'lifecycle',
])

/** How a cloud fares, for people: what is not Ready first, then the tree, then the count. */
export function statusLines(status: CloudStatus, paint: Paint): readonly string[] {
  if (status.objects === 0)
    return ['There is no cloud yet: apply manifests, for example those of manifests/quickstart.']
  const unready = status.unready.map(each => unreadyLine(each, paint))
  return [
    ...(unready.length === 0 ? [] : [paint.bold('Not ready'), ...unready, '']),
    ...treeLines(status.tree, paint),
    ...(status.tree.length === 0 ? [] : ['']),
    countLine(status),
  ]
}

/** What is not Ready, and why. */
function unreadyLine(unready: Unready, paint: Paint): string {
  const state = unready.state.toLowerCase().padEnd(8)
  return `  ${colourOf(unready.state, paint)(state)}  ${unready.kind} ${qualifiedName(unready)}  ${whyOf(unready)}`
}

/** `12 of 13 objects are Ready, 1 is stalled.` */
export function countLine({ objects, ready, unready }: CloudStatus): string {
  const stalled = unready.filter(({ state }) => state === 'Stalled').length
  if (ready === objects) return `All ${objects} objects are Ready.`
  return `${ready} of ${objects} objects are Ready${stalled === 0 ? '' : `, ${stalled} stalled`}.`
}

function treeLines(nodes: readonly StatusNode[], paint: Paint): readonly string[] {
  return nodes.flatMap(node => [nodeLine(node, paint), ...childLines(node.children, '', paint)])
}

function childLines(nodes: readonly StatusNode[], indent: string, paint: Paint): readonly string[] {
  return nodes.flatMap((node, place) => {
    const isLast = place === nodes.length - 1
    const line = `${paint.dim(`${indent}${isLast ? '└─' : '├─'}`)} ${nodeLine(node, paint)}`
    return [line, ...childLines(node.children, `${indent}${isLast ? '   ' : '│  '}`, paint)]
  })
}

function nodeLine(node: StatusNode, paint: Paint): string {
  const details = Object.entries(node.details).map(([name, value]) => (plain.has(name) ? value : `${name} ${value}`))
  const why = node.state === 'Ready' ? [] : [colourOf(node.state, paint)(node.reason)]
  const title = `${paint.dim(words[node.kind] ?? node.kind)} ${qualifiedName(node)}`
  return [`${signOf(node.state, paint)} ${title}`, ...details, ...why].join('  ')
}
