import { deepEqual, equal } from 'node:assert/strict'
import {
  type Encoder,
  encode,
  entries,
  integer,
  message,
  part,
  text,
  utf8,
} from '../../../apiserver/openapi/protobuf-encoders.ts'
import { area } from '../case.ts'

const type = 'application/vnd.kubernetes.protobuf'

/** A body as client-go sends it: a mark, and the object within a message that says what it is. */
function body(apiVersion: string, kind: string, object: object, fields: Encoder): Uint8Array {
  const typeMeta = message({ apiVersion: text(1), kind: text(2) })
  const unknown = message({ typeMeta: part(1, typeMeta), raw: part(2, fields) })
  return Buffer.concat([Buffer.from('k8s\0'), encode({ typeMeta: { apiVersion, kind }, raw: object }, unknown)])
}

const metadata = part(1, message({ name: text(1), labels: entries(11, utf8) }))
const emptyOrNot = part(1, utf8)

/** Entries of maps are messages of a key and a value, as those of documents are. */
const configMapMessage = message({ metadata, data: entries(2, utf8) })
const leaseMessage = message({
  metadata,
  spec: part(2, message({ holderIdentity: emptyOrNot, leaseDurationSeconds: integer(2) })),
})

export const protobuf = area('protobuf', {
  'a creation may be written in protobuf': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const object = { metadata: { name: 'a', labels: { l: '1' } }, data: { x: 'ä', empty: '' } }
    const made = await bench.api.post(path, body('v1', 'ConfigMap', object, configMapMessage), { type })
    equal(made.status, 201, made.text)
    deepEqual(made.body.data, { x: 'ä', empty: '' })
    deepEqual(made.body.metadata.labels, { l: '1' })
  },

  'a string that is there and empty is not one that is missing': async bench => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${await bench.namespace()}/leases`
    const lease = (name: string, spec: object) =>
      body('coordination.k8s.io/v1', 'Lease', { metadata: { name }, spec }, leaseMessage)
    const released = await bench.api.post(path, lease('a', { holderIdentity: '', leaseDurationSeconds: 1 }), { type })
    equal(released.status, 201, released.text)
    deepEqual(released.body.spec, { holderIdentity: '', leaseDurationSeconds: 1 })
    const fresh = await bench.api.post(path, lease('b', { leaseDurationSeconds: 1 }), { type })
    deepEqual(fresh.body.spec, { leaseDurationSeconds: 1 })
  },

  'a damaged body is refused': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const whole = body('v1', 'ConfigMap', { metadata: { name: 'a' }, data: { x: '1' } }, configMapMessage)
    for (const bytes of [whole.subarray(0, -3), Buffer.from('k8s\0\xff\xff'), Buffer.from('nothing')]) {
      equal((await bench.api.post(path, bytes, { type })).status, 400)
    }
  },
})
