import test from 'ava'
import { admissionOf } from '../../crds/admission.ts'
import { kinds } from '../../crds/kinds.ts'
import { serveForTest } from '../apiserver/core/serving.ts'
import { tryWishes } from './tenant-and-operator.ts'

test('the embedded API lets only operators place, attest and release, and keeps what is protected', async t => {
  const server = await serveForTest(t, () => ({ admission: admissionOf(kinds) }))
  await tryWishes(t, server.kubeconfigPath)
})
