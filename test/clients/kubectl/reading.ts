/** What kubectl shows. */
import type { Story } from './kubectl.ts'
import { applyThing, installThings, patchStatus, thing } from './things.ts'

/** By title. */
export const reading: Readonly<Record<string, Story>> = {
  'prints tables, describes and lists what there is': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { group, namespace, run } = kubectl
    await applyThing(t, kubectl, thing(kubectl, 'a', { size: 7 }, { labels: { app: 'web' } }))
    await applyThing(t, kubectl, thing(kubectl, 'b', { size: 8 }))
    const table = (await run('get things')).out.split('\n').map(line => line.split(/ +/))
    t.deepEqual(table[0], ['NAME', 'SIZE', 'AGE'])
    t.deepEqual(table[1]?.slice(0, 2), ['a', '7'])
    t.true((await run('get things -o wide -A')).out.includes(namespace))
    t.regex((await run('get samples')).out, /\ba\b/)
    t.is((await run('get th -l app=web -o name')).out, `thing.${group}/a`)
    t.is((await run('get th --field-selector=spec.mode=Slow -o name')).out, '')
    t.is((await run('get th --sort-by=.spec.size --chunk-size=1 -o name')).out, `thing.${group}/a\nthing.${group}/b`)
    t.is((await run('get th -o custom-columns=N:.spec.size --no-headers')).out, '7\n8')
    const described = (await run('describe thing a')).out
    t.regex(described, new RegExp(`API Version: +${group}/v1\n`))
    t.regex(described, /Events: +<none>/)
  },

  'explains kinds and their fields': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { run } = kubectl
    const explained = (await run('explain things.spec.size')).out
    t.true(explained.includes('Size in centimetres.') && explained.includes('<integer>'), explained)
    t.regex((await run('explain things --recursive')).out, /parts\s+<\[\]Object>\n\s+color\s+<string>/)
    t.true((await run('explain namespace.metadata.labels')).out.includes('map[string]string'))
  },

  'lists resources and versions': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { group, run } = kubectl
    const resources = (await run(`api-resources --api-group=${group}`)).out
    t.regex(resources, new RegExp(`things\\s+th\\s+${group}(/v1)?\\s+true\\s+Thing`))
    const names = (await run('api-resources --verbs=list --namespaced -o name')).out.split('\n')
    t.true(names.includes(`things.${group}`) && names.includes('configmaps'))
    t.true((await run('api-versions')).out.split('\n').includes(`${group}/v1`))
    t.regex((await run('version')).out, /Server Version:.*v1\.\d+\.\d+/)
  },

  'tells what may be done': async (t, { minor, run }) => {
    t.is((await run('auth can-i delete secrets')).out, 'yes')
    t.is((await run('auth can-i get pods --as=nobody')).out, 'no')
    t.regex((await run('auth can-i --list --as=nobody')).out, /selfsubjectaccessreviews\.authorization\.k8s\.io/)
    if (minor >= 28) t.regex((await run('auth whoami')).out, /Username +\S+/)
  },

  watches: async (t, kubectl) => {
    await installThings(t, kubectl)
    await applyThing(t, kubectl, thing(kubectl, 'a', { size: 1 }))
    const sizes: string[] = []
    for await (const line of kubectl.stream('get things --watch --no-headers')) {
      sizes.push(line.split(/ +/)[1] ?? '')
      if (sizes.length === 1) void kubectl.run('patch thing a --type=merge -p {"spec":{"size":2}}')
      if (sizes.length === 2) break
    }
    t.deepEqual(sizes, ['1', '2'])
  },

  'waits for conditions, values and the end': async (t, kubectl) => {
    await installThings(t, kubectl)
    const { group, minor, run } = kubectl
    await applyThing(t, kubectl, thing(kubectl, 'a'))
    if (minor >= 24) {
      const waiting = run('wait --for=condition=Ready thing/a --timeout=60s')
      await patchStatus(t, kubectl, { ready: true, conditions: [{ type: 'Ready', status: 'True' }] })
      t.is((await waiting).out, `thing.${group}/a condition met`)
      const value = await run('wait --for=jsonpath={.status.ready}=true thing/a --timeout=60s')
      t.is(value.out, `thing.${group}/a condition met`)
    }
    const late = await run('wait --for=condition=Never thing/a --timeout=100ms')
    t.true(late.err.includes('timed out waiting for the condition'), late.err)
    const gone = run('wait --for=delete thing/a --timeout=60s')
    await run('delete thing a')
    const { code, err } = await gone
    // Who looks for the first time when it has gone already is told that it is not there.
    t.true(code === 0 || err.includes('NotFound'), err)
  },

  'finds no rollouts': async (t, kubectl) => {
    await installThings(t, kubectl)
    await applyThing(t, kubectl, thing(kubectl, 'a'))
    const { code, err } = await kubectl.run('rollout status thing/a')
    t.is(code, 1)
    t.regex(err, /no kind "Thing" is registered|no status viewer has been implemented for Thing/)
  },
}
