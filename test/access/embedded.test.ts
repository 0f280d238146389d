import test from 'ava'
import { kinds } from '../../crds/kinds.ts'
import { guardedFieldsOf } from '../../crds/operator-fields.ts'
import { serveForTest } from '../apiserver/core/serving.ts'
import { tryWishes } from './tenant-and-operator.ts'

test('the embedded API lets only operators place, attest and release', async t => {
  const server = await serveForTest(t, () => ({ guardedFields: guardedFieldsOf(kinds) }))
  await tryWishes(t, server.kubeconfigPath)
})
