import test from 'ava'
import { realEnvironment } from '../../../cli/environment.ts'
import { documents, tryWishes } from '../../access/tenant-and-operator.ts'
import { connect } from '../../conformance/api.ts'
import { builtPrograms } from '../../conformance/reference/build.ts'
import { startReference } from '../../conformance/reference/server.ts'
import { skipped } from '../../skipped.ts'

const what =
  'a real Kubernetes API with manifests/install/admission.yaml lets only operators place, attest and release, and keeps what is protected'
const programs = builtPrograms()

if (programs === undefined) skipped(test, what, ['the reference server: npm run test:reference builds it'])
else {
  test(what, async t => {
    t.timeout(180_000)
    await using server = await startReference(programs)
    await using api = connect(server.kubeconfig, realEnvironment())
    for (const object of documents('manifests/install/admission.yaml')) {
      const plural = object.kind === 'ValidatingAdmissionPolicy' ? 'policies' : 'policybindings'
      const { status, text } = await api.post(
        `/apis/admissionregistration.k8s.io/v1/validatingadmission${plural}`,
        object,
      )
      t.is(status, 201, text)
    }
    await tryWishes(t, server.kubeconfig)
  })
}
