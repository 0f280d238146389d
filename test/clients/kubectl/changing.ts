/** What kubectl changes, and how. */
import type { Story } from './kubectl.ts'
import { applyThing, installThings, patchStatus, thing } from './things.ts'

/** By title. */
export const changing: Readonly<Record<string, Story>> = {
  'applies on the client side, again, changed, and sees no difference after': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { group, run } = kubectl
    const one = thing(kubectl, 'a', { size: 1, port: 'http', open: { any: [1] } })
    t.is((await run('apply -f %', one)).out, `thing.${group}/a created`)
    t.is((await run('apply -f %', one)).out, `thing.${group}/a unchanged`)
    t.is((await run('diff -f %', one)).code, 0)
    const two = thing(kubectl, 'a', { size: 2, port: 80, open: {} })
    const differing = await run('diff -f %', two)
    t.is(differing.code, 1)
    t.true(differing.out.includes('+  size: 2'), differing.out)
    t.is((await run('apply -f %', two)).out, `thing.${group}/a configured`)
    t.is((await run('get thing a -o jsonpath={.spec.size}/{.spec.mode}/{.metadata.generation}')).out, '2/Fast/2')
    t.is((await run('diff -f %', two)).code, 0)
  },

  'applies on the server side and hears of conflicts': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { group, run } = kubectl
    const applied = `thing.${group}/a serverside-applied`
    t.is((await run('apply --server-side -f %', thing(kubectl, 'a', { size: 1 }))).out, applied)
    const other = 'apply --server-side --field-manager=other'
    const { code, err } = await run(`${other} -f %`, thing(kubectl, 'a', { size: 2 }))
    t.is(code, 1)
    t.regex(err, /Apply failed with 1 conflict: conflict with "kubectl"( with subresource "")?: \.spec\.size/)
    t.is((await run(`${other} --force-conflicts -f %`, thing(kubectl, 'a', { size: 2 }))).out, applied)
    if (kubectl.minor < 21) return
    t.is((await run('diff --server-side --field-manager=other -f %', thing(kubectl, 'a', { size: 2 }))).code, 0)
  },

  'carries an apply on the client side on on the server side': {
    // Before, what was applied on the client side stays its own.
    since: 26,
    async tell(t, kubectl) {
      await installThings(t, kubectl)
      const { run } = kubectl
      await applyThing(t, kubectl, thing(kubectl, 'a', { size: 1, mode: 'Slow' }))
      await run('apply --server-side -f %', thing(kubectl, 'a', { size: 1 }))
      t.is((await run('get thing a -o jsonpath={.spec.mode}')).out, 'Fast', 'a field that was left out is given up')
    },
  },

  'prunes what is no longer in the manifests': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { group, run } = kubectl
    const labels = { labels: { set: 'one' } }
    const both = [thing(kubectl, 'a', { size: 1 }, labels), thing(kubectl, 'b', { size: 1 }, labels)]
    const list = (items: readonly object[]) => ({ apiVersion: 'v1', kind: 'List', items })
    const only = kubectl.minor < 26 ? '--prune-whitelist' : '--prune-allowlist'
    const apply = `apply --prune -l set=one ${only}=${group}/v1/Thing -f %`
    const first = await run(apply, list(both))
    t.is(first.out, `thing.${group}/a created\nthing.${group}/b created`, first.err)
    t.is((await run(apply, list(both.slice(0, 1)))).out, `thing.${group}/a unchanged\nthing.${group}/b pruned`)
    t.is((await run('get things -o name')).out, `thing.${group}/a`)
  },

  'labels, annotates, patches in every way, scales and deletes': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { group, run } = kubectl
    const patched = `thing.${group}/a patched`
    await applyThing(t, kubectl, thing(kubectl, 'a'))
    t.is((await run('label thing a app=web')).out, `thing.${group}/a labeled`)
    t.regex((await run('annotate thing a note=yes')).out, /a annotated?$/)
    t.is((await run('patch thing a --type=merge -p {"spec":{"size":3}}')).out, patched)
    t.is((await run('patch thing a --type=json -p [{"op":"replace","path":"/spec/size","value":4}]')).out, patched)
    const strategic = await run('patch thing a --type=strategic -p {"spec":{"size":5}}')
    t.regex(strategic.err, /strategic-merge-patch\+json is not supported|UnsupportedMediaType/)
    const refused = await run('patch thing a --type=json -p [{"op":"test","path":"/spec/size","value":9}]')
    t.true(refused.code === 1 && refused.err.length > 0)
    t.is((await run('patch thing a --type=merge -p {"spec":{"size":4}}')).out, `${patched} (no change)`)
    t.is((await run('scale thing a --replicas=3')).out, `thing.${group}/a scaled`)
    t.is((await run('get thing a -o jsonpath={.spec.size}{.metadata.labels.app}{.spec.replicas}')).out, '4web3')
    t.regex((await run('delete thing a')).out, new RegExp(`^thing\\.${group} "a" deleted`))
    const gone = (await run('get thing a')).err
    t.true(gone.includes(`Error from server (NotFound): things.${group} "a" not found`), gone)
  },

  'patches built-in kinds by the keys of their lists': async (t, kubectl) => {
    const { run } = kubectl
    const account = (...names: readonly string[]) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'robot' },
      secrets: names.map(name => ({ name })),
    })
    t.is((await run('apply -f %', account('one', 'two'))).out, 'serviceaccount/robot created')
    t.is(
      (await run('patch serviceaccount robot -p {"secrets":[{"name":"three"}]}')).out,
      'serviceaccount/robot patched',
    )
    t.is((await run('apply -f %', account('two'))).out, 'serviceaccount/robot configured')
    const names = (await run('get serviceaccount robot -o jsonpath={.secrets[*].name}')).out.split(' ')
    t.deepEqual(names.toSorted(), ['three', 'two'], 'what was put by others stays, what was applied goes')
  },

  'writes what stands below an object': {
    since: 24,
    async tell(t, kubectl) {
      await installThings(t, kubectl)
      await applyThing(t, kubectl, thing(kubectl, 'a', { size: 1, replicas: 2 }))
      await patchStatus(t, kubectl, { ready: true })
      t.is((await kubectl.run('get thing a --subresource=status -o jsonpath={.status.ready}')).out, 'true')
      t.is((await kubectl.run('get thing a --subresource=scale -o jsonpath={.kind}')).out, 'Scale')
    },
  },

  'creates built-in kinds, which it sends in protobuf': async (t, { minor, namespace, run }) => {
    t.is((await run('create configmap c --from-literal=x=1')).out, 'configmap/c created')
    t.is((await run('create secret generic s --from-literal=p=hunter2')).out, 'secret/s created')
    t.is((await run('create serviceaccount robot')).out, 'serviceaccount/robot created')
    t.is((await run('create role r --verb=get --resource=configmaps')).out, 'role.rbac.authorization.k8s.io/r created')
    const bound = await run('create rolebinding b --role=r --serviceaccount=default:robot')
    t.is(bound.out, 'rolebinding.rbac.authorization.k8s.io/b created')
    t.is((await run('get configmap c -o jsonpath={.data.x}')).out, '1')
    t.is((await run('get secret s -o jsonpath={.data.p}')).out, Buffer.from('hunter2').toString('base64'))
    t.is((await run('create configmap d --dry-run=server')).out, 'configmap/d created (server dry run)')
    t.true((await run('get configmap d')).err.includes('not found'))
    if (minor >= 24) t.regex((await run('create token robot')).out, /^ey/)
    t.regex((await run(`delete namespace ${namespace}`)).out, new RegExp(`^namespace "${namespace}" deleted`))
    t.true((await run('get configmap c')).err.includes('not found'))
  },

  'refuses wrong manifests with the field': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { minor, run } = kubectl
    const colourful = thing(kubectl, 'a', { size: 1, colour: 'red', open: { colour: 'red' } })
    const unknown = await run('create -f %', colourful)
    t.is(unknown.code, 1)
    t.regex(unknown.err, /unknown field "(spec\.)?colour"/)
    t.false(unknown.err.includes('open'), unknown.err)
    const small = (await run('create -f %', thing(kubectl, 'b', { size: 0 }))).err
    t.regex(small, /The Thing "b" is invalid: spec\.size: Invalid value: 0: spec\.size in body should be greater than/)
    const missing = await run('create -f %', thing(kubectl, 'c', {}))
    t.regex(missing.err, /spec\.size: Required value|missing required field "size"/)
    const ignore = minor < 25 ? '--validate=false' : '--validate=ignore'
    t.regex((await run(`create ${ignore} -f %`, colourful)).out, /\/a created$/)
    if (minor >= 25) {
      const warned = await run('apply --validate=warn -f %', thing(kubectl, 'd', { size: 1, colour: 'red' }))
      t.regex(warned.err, /^Warning: unknown field "spec\.colour"/)
    }
    const early = (await run('apply -f %', { ...thing(kubectl, 'a'), kind: 'Nothing' })).err
    t.true(early.includes('no matches for kind "Nothing"'), early)
  },

  'deletes with finalizers and waits for the end': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { group, minor, run } = kubectl
    await applyThing(t, kubectl, thing(kubectl, 'a', { size: 1 }, { finalizers: ['x.dev/one'] }))
    const deleting = run('delete thing a --timeout=60s')
    if (minor >= 23) {
      const going = '--for=jsonpath={.metadata.deletionGracePeriodSeconds}=0'
      t.is((await run(`wait ${going} thing/a --timeout=60s`)).code, 0)
    }
    t.is((await run('patch thing a --type=merge -p {"metadata":{"finalizers":null}}')).code, 0)
    t.regex((await deleting).out, new RegExp(`^thing\\.${group} "a" deleted`))
    t.is((await run(`delete crd things.${group}`)).code, 0)
    t.true((await run('get things')).err.length > 0)
  },

  'replaces and edits': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { group, run } = kubectl
    await run('create -f %', thing(kubectl, 'a', { size: 1 }))
    t.is((await run('replace -f %', thing(kubectl, 'a', { size: 5 }))).out, `thing.${group}/a replaced`)
    t.is((await run('edit thing a')).out, `thing.${group}/a edited`)
    t.is((await run('get thing a -o jsonpath={.spec.size}')).out, '6')
    await run('create configmap c --from-literal=size=15')
    t.is((await run('edit configmap c')).err, 'Edit cancelled, no changes made.')
  },
}
