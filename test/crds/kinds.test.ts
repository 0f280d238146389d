import test from 'ava'
import { defaultSettings, Settings } from '../../crds/infrastructure/settings.ts'
import { kindOf, kinds } from '../../crds/kinds.ts'
import { defaulted, schemas } from './schemas.ts'

test('kinds are found by apiVersion and name, and only by both', t => {
  for (const kind of kinds) t.is(kindOf(kind.apiVersion, kind.kind), kind)
  t.is(kindOf('v1', 'VirtualMachine'), undefined)
  t.is(kindOf('compute.skystead.dev/v1alpha1', 'Pod'), undefined)
})

test('the short names that other tools rely on are there', t => {
  const names = new Map(kinds.flatMap(kind => kind.shortNames.map(name => [name, kind.kind])))
  t.is(names.get('vm'), 'VirtualMachine')
  t.is(names.get('vol'), 'Volume')
  t.is(names.get('vnet'), 'Network')
  t.is(names.get('pip'), 'PublicIP')
  t.is(names.get('hpod'), 'HostPod')
  t.is(names.get('hcl'), 'HostCluster')
})

test('every kind has a schema', t => {
  t.deepEqual([...schemas.keys()].sort(), kinds.map(kind => kind.kind).sort())
})

test('the settings without an object are those that the schema gives an empty one', t => {
  const empty = { apiVersion: Settings.apiVersion, kind: 'Settings', metadata: { name: 'default' }, spec: {} }
  t.deepEqual(defaulted(empty).spec, { ...defaultSettings })
})

test('a machine gets its defaults', t => {
  const { spec } = defaulted({
    apiVersion: 'compute.skystead.dev/v1alpha1',
    kind: 'VirtualMachine',
    metadata: { name: 'web-1', namespace: 'shop' },
    spec: {
      zoneName: 'zone-a',
      serviceOfferingName: 'small',
      templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
      nics: [{ name: 'web', networkName: 'web' }],
    },
  })
  t.deepEqual(spec, {
    zoneName: 'zone-a',
    serviceOfferingName: 'small',
    templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
    runStrategy: 'Always',
    shutdownTimeout: '120s',
    volumes: [],
    nics: [{ name: 'web', networkName: 'web' }],
    sshKeyNames: [],
    management: { deletionPolicy: 'Delete' },
    protected: 'Disabled',
  })
})
