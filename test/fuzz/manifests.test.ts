import test from 'ava'
import fc from 'fast-check'
import { ApiError } from '../../controllers/api/api-error.ts'
import { Namespace } from '../../controllers/api/built-in-kinds.ts'
import type { Writable } from '../../controllers/api/client.ts'
import type { AnyApiKind } from '../../controllers/api/paths.ts'
import { kindOf } from '../../crds/kinds.ts'
import { Cloud } from '../stories/cloud.ts'
import { type Mutation, manifests, mutated, mutation } from './mutations.ts'
import type { PlainManifest } from './plain.ts'

/** What a cloud under fire has to complain of. */
interface Fire {
  readonly cloud: Cloud
  /** Log lines of level error. */
  readonly errors: string[]
}

async function startFire(): Promise<Fire & AsyncDisposable> {
  const errors: string[] = []
  const logStream = {
    write: (line: string) => {
      if (line.includes('"level":"error"')) errors.push(line)
    },
  }
  const cloud = await Cloud.start({ logLevel: 'warn', logStream })
  return { cloud, errors, [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose]() }
}

function kindFor({ apiVersion, kind }: PlainManifest): AnyApiKind {
  const known = kind === 'Namespace' ? Namespace : kindOf(apiVersion, kind)
  if (known === undefined) throw new Error(`Cannot send ${apiVersion} ${kind}: there is no such kind`)
  return known
}

/** Sends a manifest; undefined where it is taken or properly refused, else what is wrong with the answer. */
async function send({ cloud }: Fire, kind: AnyApiKind, each: Mutation): Promise<string | undefined> {
  const manifest = mutated(each)
  const { client } = cloud
  const request = async () => {
    if (each.verb === 'Create') return client.create(kind, manifest)
    if (each.verb === 'Apply')
      return client.apply(kind, manifest, { fieldManager: 'fuzz', force: true, fieldValidation: 'Strict' })
    const { name, namespace } = manifest.metadata
    const known = await client.get(kind, name, namespace)
    if (known === undefined) return client.create(kind, manifest)
    const metadata = { ...manifest.metadata, resourceVersion: known.metadata.resourceVersion }
    return client.replace(kind, { ...manifest, metadata })
  }
  try {
    await cloud.environment.until(request())
    return undefined
  } catch (error) {
    if (!(error instanceof ApiError)) return `not an API error: ${error}`
    const { status, reason, causes, message } = error
    if (isUntyped(error)) return undefined
    if (status < 400 || status >= 500) return `status ${status}: ${message}`
    if (message === '') return `status ${status} without a message`
    const named = causes.every(({ field }) => field !== undefined && field !== '')
    return reason === 'Invalid' && (causes.length === 0 || !named) ? `Invalid without a field: ${message}` : undefined
  }
}

/** Kubernetes answers an apply of what the schema does not know with a 500, in words that name the fields. */
function isUntyped({ status, message }: ApiError): boolean {
  return status === 500 && /^failed to create typed patch object \(.+?\): (errors:\n +)?\./.test(message)
}

/** Sends all, lets the controllers work, and says what went wrong. */
async function bombard(mutations: readonly Mutation[], before: 'Empty' | 'Full'): Promise<readonly string[]> {
  await using fire = await startFire()
  const { cloud, errors } = fire
  if (before === 'Full') {
    await cloud.apply(...(manifests as readonly Writable[]))
    await cloud.advance(30_000)
  } else {
    await cloud.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  }
  const wrong: string[] = []
  for (const each of mutations) {
    const original = manifests[each.manifest]
    if (original === undefined) continue
    const answer = await send(fire, kindFor(original), each)
    if (answer !== undefined) wrong.push(`${describe(each)}: ${answer}`)
    await cloud.advance(300)
  }
  await cloud.advance(20_000)
  for (const { kind, metadata, status } of await cloud.everything()) {
    const failed = status?.conditions?.filter(({ reason }) => reason === 'InternalError') ?? []
    wrong.push(...failed.map(({ type, message }) => `${kind} ${metadata.name} ${type}: ${message}`))
  }
  return [...wrong, ...errors.slice(0, 5)]
}

function describe(each: Mutation): string {
  return JSON.stringify(mutated(each)).slice(0, 400)
}

/** Each seed is a history of its own. Others: FUZZ_SEEDS=10,11,12. */
const seeds = (process.env.FUZZ_SEEDS ?? '1,2,3,4,5,6,7,8').split(',').map(Number)

for (const seed of seeds) {
  const before = seed % 2 === 0 ? 'Empty' : 'Full'
  test(`wrong manifests on a cloud that is ${before} (seed ${seed}): each is answered with a field, nothing fails inside`, async t => {
    t.timeout(300_000)
    t.deepEqual(await bombard(fc.sample(mutation, { seed, numRuns: 150 }), before), [])
  })
}
