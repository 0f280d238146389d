import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { serve } from '../../../apiserver/serving/serve.ts'
import { realEnvironment } from '../../../cli/environment.ts'
import { skipped } from '../../skipped.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

/** Puts a disk of 6 MiB at a new directory; undefined where no file system can be mounted. */
function smallDisk(): string | undefined {
  const home = mkdtempSync(join(tmpdir(), 'skystead-full-'))
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', home]).status === 0) return home
  rmdirSync(home)
  return undefined
}

function remove(disk: string): void {
  spawnSync('umount', [disk])
  rmdirSync(disk)
}

/** Writes until there is no room for another byte. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  for (let size = 65_536; size > 0; size = Math.floor(size / 2)) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size))
    } catch {
      // Less may fit still.
    }
  }
  closeSync(file)
}

const what =
  'a full disk refuses writes with 507, reads and watches go on, and it heals by itself when there is room again'
const disk = smallDisk()

if (disk === undefined) skipped(test, what, ['the right to mount a file system'])
else {
  test(what, async t => {
    t.timeout(120_000)
    t.teardown(() => remove(disk))
    await refusesAndHeals(t, disk)
  })
}

async function refusesAndHeals(t: ExecutionContext, home: string): Promise<void> {
  const server = await serve({ home, environment: realEnvironment() })
  const ask = async (method: string, path: string, body?: object) => {
    const headers = { 'content-type': 'application/json' }
    const request = { method, path, headers, ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }) }
    const response = await server.handle(request)
    if (!(response.body instanceof Uint8Array)) throw new Error('Cannot read a stream here')
    return { status: response.status, body: JSON.parse(Buffer.from(response.body).toString()) }
  }
  const create = (name: string) =>
    ask('POST', configMaps, { metadata: { name }, data: { padding: 'x'.repeat(20_000) } })
  const names = async () =>
    (await ask('GET', configMaps)).body.items.map(
      (each: { readonly metadata: { readonly name: string } }) => each.metadata.name,
    )

  const ended = new AbortController()
  const watch = await server.handle({
    method: 'GET',
    path: `${configMaps}?watch=true`,
    headers: {},
    signal: ended.signal,
  })
  const told: string[] = []
  const watching = (async () => {
    if (watch.body instanceof Uint8Array) return
    for await (const piece of watch.body) {
      for (const [, name = ''] of Buffer.from(piece)
        .toString()
        .matchAll(/"metadata":\{"name":"([^"]+)"/g))
        told.push(name)
    }
  })()
  fill(join(home, 'filler'))
  const answered: string[] = []
  let refusal: Awaited<ReturnType<typeof create>> | undefined
  for (let index = 0; refusal === undefined && index < 1_000; index++) {
    const answer = await create(`before-${index}`)
    if (answer.status === 201) answered.push(`before-${index}`)
    else refusal = answer
  }
  t.is(refusal?.status, 507)
  t.is(refusal?.body.reason, 'InsufficientStorage')
  t.regex(refusal?.body.message, /objects\.db: the disk is full/)
  t.is((await create('still-full')).status, 507)
  t.deepEqual(await names(), answered.toSorted())

  unlinkSync(join(home, 'filler'))
  t.is((await create('healed')).status, 201)
  answered.push('healed')
  ended.abort()
  await watching
  t.deepEqual(told.toSorted(), answered.toSorted())
  await server.close()

  const again = await serve({ home, environment: realEnvironment() })
  const { body } = await again.handle({ method: 'GET', path: configMaps, headers: {} })
  for (const name of answered) t.true(Buffer.from(body as Uint8Array).includes(`"${name}"`))
  await again.close()
}
