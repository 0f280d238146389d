import test from 'ava'
import { compileJSONPath, JSONPathError } from '../../../apiserver/table/json-path.ts'

const object = {
  metadata: { labels: { 'app.kubernetes.io/name': 'web', plain: 'x' }, name: 'a' },
  spec: {
    nics: [
      { name: 'eth0', mtu: 1500 },
      { name: 'eth1', mtu: 9000, main: true },
    ],
    size: 3,
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', reason: 'Up to date' },
      { type: 'Stalled', status: 'False' },
    ],
  },
}

const found: readonly (readonly [string, readonly unknown[]])[] = [
  ['.spec.size', [3]],
  ['$.spec.size', [3]],
  ['.spec.missing.deeper', []],
  ["['spec']['size']", [3]],
  ['.metadata.labels.app\\.kubernetes\\.io/name', ['web']],
  [".metadata.labels['app.kubernetes.io/name']", ['web']],
  ['.spec.nics[0].name', ['eth0']],
  ['.spec.nics[-1].name', ['eth1']],
  ['.spec.nics[5].name', []],
  ['.spec.nics[*].name', ['eth0', 'eth1']],
  ['.spec.nics[1:].name', ['eth1']],
  ['.metadata.labels.*', ['web', 'x']],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  [".status.conditions[?(@.type == 'Stalled')].status", ['False']],
  ['.status.conditions[?(@.type!="Ready")].type', ['Stalled']],
  ['.status.conditions[?(@.reason)].type', ['Ready']],
  ['.spec.nics[?(@.mtu>1500)].name', ['eth1']],
  ['.spec.nics[?(@.mtu<=1500)].name', ['eth0']],
  ['.spec.nics[?(@.main==true)].name', ['eth1']],
  ['.spec.toString', []],
  ['.spec.nics.length', []],
]

for (const [path, values] of found) {
  test(`${path} finds ${JSON.stringify(values)}`, t => t.deepEqual(compileJSONPath(path)(object), values))
}

for (const path of ['spec', '.spec[', '.spec[?(@.x==1]', '.spec..x']) {
  test(`${path} is refused`, t => {
    t.throws(() => compileJSONPath(path), { instanceOf: JSONPathError })
  })
}
