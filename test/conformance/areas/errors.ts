import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import type { Bench } from '../case.ts'
import { area, failure, like } from '../case.ts'
import { configMap, group, widget, widgets } from '../definitions.ts'

async function maps(bench: Bench): Promise<string> {
  return `/api/v1/namespaces/${await bench.namespace()}/configmaps`
}

/** Creates with this body, as a built-in and as a custom kind; both must be refused like this. */
async function refused(
  bench: Bench,
  body: string | Uint8Array,
  wanted: { readonly status: number; readonly reason: string; readonly message: RegExp; readonly type?: string },
): Promise<void> {
  for (const path of [await maps(bench), await bench.install(widgets)]) {
    const answer = await bench.api.post(path, body, { type: wanted.type ?? 'application/json' })
    equal(answer.status, wanted.status, answer.text)
    like(answer.body, { kind: 'Status', status: 'Failure', reason: wanted.reason, code: wanted.status })
    match(answer.body.message, wanted.message)
  }
}

const notFound = failure({
  message: 'the server could not find the requested resource',
  reason: 'NotFound',
  details: {},
  code: 404,
})

export const errors = area('errors', {
  'JSON that breaks off is refused': bench =>
    refused(bench, '{"kind": ', {
      status: 400,
      reason: 'BadRequest',
      message: /json parse error: unexpected end of JSON input/i,
    }),

  'JSON that is none is refused': bench =>
    refused(bench, '{"kind": "ConfigMap",}', {
      status: 400,
      reason: 'BadRequest',
      message: /couldn't get version\/kind; json parse error: /,
    }),

  'an empty body is refused': bench =>
    refused(bench, '', {
      status: 400,
      reason: 'BadRequest',
      message: /json parse error: unexpected end of JSON input/i,
    }),

  'a body that is no object is refused': async bench => {
    for (const body of ['[]', '"x"', '1']) {
      await refused(bench, body, {
        status: 400,
        reason: 'BadRequest',
        message: /couldn't get version\/kind; json parse error: /,
      })
    }
  },

  'something after the JSON is refused': bench =>
    refused(bench, `${JSON.stringify(configMap('a'))}{}`, {
      status: 400,
      reason: 'BadRequest',
      message: /json parse error: /,
    }),

  'YAML that is none is refused': bench =>
    refused(bench, 'a: b: c', { status: 400, reason: 'BadRequest', message: /yaml/i, type: 'application/yaml' }),

  'a body of another media type is refused': async bench => {
    for (const type of ['application/xml', 'text/plain', 'application/merge-patch+json']) {
      await refused(bench, '{}', {
        status: 415,
        reason: 'UnsupportedMediaType',
        message:
          /^the body of the request was in an unknown format - accepted media types include: application\/json, application\/yaml, application\/vnd\.kubernetes\.protobuf$/,
        type,
      })
    }
  },

  'a body that is nested too deep is refused': async bench => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    await refused(bench, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"x":${deep}}`, {
      status: 400,
      reason: 'BadRequest',
      message: /exceeded max depth/,
    })
  },

  'a compressed body is not read': bench =>
    refused(bench, gzipSync(JSON.stringify(configMap('a'))), {
      status: 400,
      reason: 'BadRequest',
      message: /json parse error: /,
    }),

  'a body of more than 3 MiB is refused': async bench => {
    const { status, body } = await bench.api.post(await maps(bench), configMap('a', { x: 'x'.repeat(3 * 1024 * 1024) }))
    equal(status, 413)
    deepEqual(
      body,
      failure({ message: 'Request entity too large: limit is 3145728', reason: 'RequestEntityTooLarge', code: 413 }),
    )
  },

  'data of a ConfigMap is 1 MiB at most': async bench => {
    const path = await maps(bench)
    equal((await bench.api.post(path, configMap('a', { x: 'x'.repeat(1024 * 1024) }))).status, 201)
    const { status, body } = await bench.api.post(path, configMap('b', { x: 'x'.repeat(1024 * 1024 + 1) }))
    equal(status, 422)
    like(body.details.causes, [
      { reason: 'FieldValueTooLong', message: 'Too long: may not be more than 1048576 bytes' },
    ])
  },

  'a body in YAML is taken': async bench => {
    const { status, body } = await bench.api.post(
      await maps(bench),
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: "1"\n',
      { type: 'application/yaml' },
    )
    equal(status, 201)
    deepEqual(body.data, { x: '1' })
  },

  'a media type may have parameters, or be missing': async bench => {
    const path = await maps(bench)
    equal((await bench.api.post(path, configMap('a'), { type: 'application/json; charset=utf-8' })).status, 201)
    equal((await bench.api.post(path, configMap('b'), { type: '' })).status, 201)
  },

  'bytes that are no UTF-8 are replaced': async bench => {
    const [before, after] = JSON.stringify(configMap('a', { x: '1?2' })).split('?')
    const bytes = Buffer.concat([Buffer.from(before ?? ''), Buffer.from([0xff]), Buffer.from(after ?? '')])
    const { status, body } = await bench.api.post(await maps(bench), bytes)
    equal(status, 201)
    deepEqual(body.data, { x: '1\ufffd2' })
  },

  'a custom kind must be named in the body': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, { apiVersion: `${group}/v1`, metadata: { name: 'a' } })
    equal(status, 400)
    match(body.message, /Object 'Kind' is missing in/)
  },

  'a body of another version is refused': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, { ...widget('a'), apiVersion: `${group}/v2` })
    equal(status, 400)
    equal(
      body.message,
      `the API version in the data (${group}/v2) does not match the expected API version (${group}/v1)`,
    )
  },

  'a resource that a version does not have is not found': async bench => {
    const namespace = await bench.namespace()
    for (const path of [
      '/api/v1/gadgets',
      `/api/v1/namespaces/${namespace}/gadgets`,
      `/api/v1/namespaces/${namespace}/configmaps/a/gadget`,
      '/api/v2',
      '/apis/apiextensions.k8s.io/v2',
      '/api/v1/configmaps/a',
      `/api/v1/namespaces/${namespace}/namespaces`,
    ]) {
      const { status, body } = await bench.api.get(path)
      equal(status, 404)
      deepEqual(body, notFound)
    }
  },

  'a path that leads nowhere is answered in plain text': async bench => {
    await bench.install(widgets)
    for (const path of [
      '/nowhere',
      '/apis/nowhere',
      '/apis/nowhere/v1',
      '/apis/nowhere/v1/things',
      '/openapi',
      '/healthz/nowhere',
      `/apis/${group}/v1/gadgets`,
      `/apis/${group}/v2/widgets`,
      `/apis/${group}/v1/widgets/a`,
    ]) {
      const { status, headers, text } = await bench.api.get(path)
      equal(status, 404)
      equal(headers['content-type'], 'text/plain; charset=utf-8')
      equal(text, '404 page not found\n')
    }
  },

  'a slash at the end of a path means nothing': async bench => {
    for (const path of [await maps(bench), await bench.install(widgets)]) {
      const { status, body } = await bench.api.get(`${path}/`)
      equal(status, 200)
      deepEqual(body.items, [])
    }
  },

  'a path that cannot be decoded is a bad request': async bench => {
    equal((await bench.api.get('/api/v1/namespaces/%zz')).status, 400)
  },

  'a method that a path does not have is not allowed': async bench => {
    const path = await maps(bench)
    for (const [method, where] of [
      ['PUT', path],
      ['PATCH', path],
      ['POST', `${path}/a`],
      ['OPTIONS', path],
      ['PROPFIND', path],
      ['POST', '/version'],
      ['DELETE', '/api'],
      ['POST', '/api/v1/configmaps'],
    ] as const) {
      const { status, body } = await bench.api.call(method, where)
      equal(status, 405, `${method} ${where}`)
      like(body, {
        reason: 'MethodNotAllowed',
        message: 'the server does not allow this method on the requested resource',
        details: {},
        code: 405,
      })
    }
  },

  'a body means nothing to a get': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    equal((await bench.api.get(`${path}/a?surprise=1&pretty=false`)).body.kind, 'Widget')
  },

  'a large list is compressed where that is wished': async bench => {
    const path = await maps(bench)
    for (let index = 0; index < 8; index++)
      await bench.api.post(path, configMap(`a${index}`, { x: 'x'.repeat(20_000) }))
    const wished = await bench.api.get(path, { headers: { 'accept-encoding': 'gzip' } })
    equal(wished.headers['content-encoding'], 'gzip')
    match(wished.headers.vary ?? '', /Accept-Encoding/)
    equal((await bench.api.get(path)).headers['content-encoding'], undefined)
    const unwished = await bench.api.get(path, { headers: { 'accept-encoding': 'deflate, gzip;q=0' } })
    equal(unwished.headers['content-encoding'], undefined)
  },

  'a small answer is not compressed': async bench => {
    const path = await maps(bench)
    await bench.api.post(path, configMap('a'))
    const { headers, body } = await bench.api.get(path, { headers: { 'accept-encoding': 'gzip' } })
    equal(headers['content-encoding'], undefined)
    equal(body.items.length, 1)
  },

  'answers are not to be kept': async bench => {
    const path = await bench.install(widgets)
    equal((await bench.api.get(path)).headers['cache-control'], 'no-cache, private')
    equal((await bench.api.get(`${path}/none`)).headers['cache-control'], 'no-cache, private')
  },

  'warnings come in headers': async bench => {
    const path = await bench.install(widgets)
    const { status, headers } = await bench.api.post(path, widget('a', { one: 1, two: 2 }))
    equal(status, 201)
    ok(headers.warning?.includes('299 - "unknown field \\"spec.one\\""'))
    ok(headers.warning?.includes('299 - "unknown field \\"spec.two\\""'))
  },

  'a finalizer without a domain is warned of when it comes': async bench => {
    const path = await bench.install(widgets)
    const warned = (name: string) =>
      `299 - "metadata.finalizers: \\"${name}\\": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"`
    const created = await bench.api.post(path, widget('a', {}, { finalizers: ['one', 'example.com/two'] }))
    equal(created.headers.warning, warned('one'))
    const changed = await bench.api.patch(`${path}/a`, 'merge', { metadata: { finalizers: ['one', 'three'] } })
    equal(changed.headers.warning, warned('three'))
    const other = await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 2 } })
    equal(other.headers.warning, undefined)
    await bench.api.patch(`${path}/a`, 'merge', { metadata: { finalizers: null } })
  },

  'owners that are named twice are named once, with a warning': async bench => {
    const { body: owner } = await bench.api.post(await maps(bench), configMap('owner'))
    const { name, uid } = owner.metadata
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name, uid }
    for (const [path, object] of [
      [await maps(bench), configMap('a', {}, { ownerReferences: [reference, reference] })],
      [await bench.install(widgets), widget('a', {}, { ownerReferences: [reference, reference] })],
    ] as const) {
      const { status, headers, body } = await bench.api.post(path, object)
      equal(status, 201)
      deepEqual(body.metadata.ownerReferences, [reference])
      equal(
        headers.warning,
        `299 - ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uid}"`,
      )
    }
  },

  'the server says that it lives and is ready': async bench => {
    for (const path of ['/healthz', '/livez', '/readyz', '/readyz/ping', '/livez/ping']) {
      const { status, headers, text } = await bench.api.get(path)
      equal(status, 200)
      equal(headers['content-type'], 'text/plain; charset=utf-8')
      equal(text, 'ok')
    }
  },

  'whether the server lives may be asked without a body': async bench => {
    const { status, text } = await bench.api.call('HEAD', '/livez')
    equal(status, 200)
    equal(text, '')
  },

  'the server tells its version': async bench => {
    const { status, headers, body } = await bench.api.get('/version')
    equal(status, 200)
    equal(headers['content-type'], 'application/json')
    like(body, { major: '1', gitTreeState: 'clean' })
    match(body.minor, /^\d+\+?$/)
    match(body.gitVersion, new RegExp(`^v1\\.${body.minor}\\.`))
    for (const member of ['gitCommit', 'buildDate', 'goVersion', 'compiler', 'platform'])
      equal(typeof body[member], 'string')
  },

  'the root tells the paths that there are': async bench => {
    const { status, body } = await bench.api.get('/')
    equal(status, 200)
    for (const path of ['/api', '/apis', '/healthz', '/livez', '/readyz', '/openapi/v3', '/version'])
      ok(body.paths.includes(path), path)
  },

  'whoever asks learns who he is': async bench => {
    const { status, body } = await bench.api.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
    })
    equal(status, 201)
    equal(body.kind, 'SelfSubjectReview')
    ok(body.status.userInfo.username)
    ok(body.status.userInfo.groups.includes('system:authenticated'))
  },

  'whoever asks learns what he may': async bench => {
    const review = (spec: object) => ({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec })
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    const resourceAttributes = { verb: 'create', resource: 'configmaps', namespace: await bench.namespace() }
    const resource = await bench.api.post(path, review({ resourceAttributes }))
    equal(resource.status, 201)
    like(resource.body, { kind: 'SelfSubjectAccessReview', spec: { resourceAttributes }, status: { allowed: true } })
    const nonResourceAttributes = { verb: 'get', path: '/version' }
    const other = await bench.api.post(path, review({ nonResourceAttributes }))
    like(other.body, { spec: { nonResourceAttributes }, status: { allowed: true } })
  },

  'reviews are not read': async bench => {
    for (const resource of ['selfsubjectaccessreviews', 'subjectaccessreviews', 'selfsubjectrulesreviews']) {
      equal((await bench.api.get(`/apis/authorization.k8s.io/v1/${resource}`)).status, 405)
    }
  },

  'a wrong token is nobody': async bench => {
    for (const path of ['/api/v1/namespaces', '/healthz', '/nowhere']) {
      const { status, body } = await bench.api.get(path, { headers: { authorization: 'Bearer wrong' } })
      equal(status, 401)
      deepEqual(body, failure({ message: 'Unauthorized', reason: 'Unauthorized', code: 401 }))
    }
  },
})
