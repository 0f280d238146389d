import test from 'ava'
import { ApiError } from '../../../controllers/api/api-error.ts'
import { leasedTransport } from '../../../controllers/api/leased-transport.ts'
import type { Transport } from '../../../controllers/api/transport.ts'

test('without a lease nothing is written, and everything is read', async t => {
  const sent: string[] = []
  const inner: Transport = {
    async request({ method }) {
      sent.push(method)
      return { status: 200, headers: {}, body: new Uint8Array() }
    },
    watch: async () => undefined,
    close: async () => undefined,
  }
  let isHeld = true
  const { request } = leasedTransport(inner, () => isHeld)
  await request({ method: 'PATCH', path: '/a' })
  isHeld = false
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    const error = await t.throwsAsync(request({ method, path: '/apis/g/v1/things/a?dryRun=All' }), {
      instanceOf: ApiError,
      message: 'Cannot write /apis/g/v1/things/a: this process does not hold its lease',
    })
    t.like(error, { status: 403, reason: 'Forbidden' })
  }
  await request({ method: 'GET', path: '/a' })
  t.deepEqual(sent, ['PATCH', 'GET'])
})
