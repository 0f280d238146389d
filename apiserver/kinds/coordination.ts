/** Leases, by which replicas agree who does what, and service accounts. */

import { plainStrategy } from '../strategy.ts'
import { serveBuiltin } from './builtin.ts'
import { boolean, integer, kind, list, listMap, object, text } from './schemas.ts'

const microTime = (description: string) => text(description, { nullable: true })

/** Leases. */
export const leases = serveBuiltin(
  {
    group: 'coordination.k8s.io',
    version: 'v1',
    kind: 'Lease',
    plural: 'leases',
    namespaced: true,
    schema: kind('Lease defines a lease concept.', {
      spec: object('Spec is what the lease says.', {
        holderIdentity: text('HolderIdentity names who holds the lease.'),
        leaseDurationSeconds: integer('LeaseDurationSeconds is how long others wait after renewTime.'),
        acquireTime: microTime('AcquireTime is when the current holder took the lease.'),
        renewTime: microTime('RenewTime is when the current holder last renewed the lease.'),
        leaseTransitions: integer('LeaseTransitions counts the changes of the holder.'),
        strategy: text('Strategy is how a coordinated holder is chosen.'),
        preferredHolder: text('PreferredHolder tells the holder to whom it shall hand over.'),
      }),
    }),
  },
  { ...plainStrategy, createOnUpdate: true, unconditionalUpdate: false },
)

/** Service accounts. */
export const serviceAccounts = serveBuiltin(
  {
    group: '',
    version: 'v1',
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    shortNames: ['sa'],
    namespaced: true,
    schema: kind('ServiceAccount is a name for what runs without a person.', {
      secrets: listMap(
        'Secrets that may be used.',
        object('Reference to a secret.', {
          apiVersion: text('API version.'),
          kind: text('Kind.'),
          namespace: text('Namespace.'),
          name: text('Name.'),
          uid: text('UID.'),
          resourceVersion: text('Version.'),
          fieldPath: text('Path.'),
        }),
        'name',
      ),
      imagePullSecrets: list('Secrets for pulling images.', object('Reference to a secret.', { name: text('Name.') })),
      automountServiceAccountToken: boolean('Whether a token is mounted by default.'),
    }),
  },
  plainStrategy,
)
