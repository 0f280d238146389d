import { createAuthority, issueServer } from '../apiserver/serving/certificates.ts'
import { authorityOf } from '../apiserver/serving/home.ts'
import { ConfigMap } from '../controllers/api/built-in-kinds.ts'
import { ApiError, type Client } from '../controllers/api/client.ts'
import type { QueryOptions } from '../controllers/query/query.ts'
import { queryServerName } from '../controllers/query/server.ts'
import type { Environment } from '../crds/environment.ts'

/** The query endpoint of a home: certified by the home's own authority, open to whom its kubeconfig names. */
export function queryEndpointOfHome(home: string, port: number, environment: Environment): QueryOptions {
  const authority = authorityOf(home, environment)
  const { certificate, key } = issueServer(authority, [queryServerName], environment)
  return {
    replica: 'local',
    port,
    certificate,
    key,
    authority: authority.certificate,
    clientAuthority: authority.certificate,
  }
}

/**
 * The query endpoint of a replica beside a cluster: certified by an authority of this process, which the Lease tells of;
 * open to the cluster's users by token, and by certificate where the cluster tells who signs these.
 */
export async function queryEndpointOfCluster(
  client: Client,
  { host, port, replica }: { readonly host: string; readonly port: number; readonly replica: string },
  environment: Environment,
): Promise<QueryOptions> {
  const authority = createAuthority(environment)
  const { certificate, key } = issueServer(authority, [queryServerName], environment)
  const clientAuthority = await clientAuthorityOf(client)
  return {
    replica,
    host,
    port,
    certificate,
    key,
    authority: authority.certificate,
    ...(clientAuthority === undefined ? {} : { clientAuthority }),
  }
}

/** Where Kubernetes tells its extension servers whose certificates its users have. */
async function clientAuthorityOf(client: Client): Promise<string | undefined> {
  try {
    const told = await client.get(ConfigMap, 'extension-apiserver-authentication', 'kube-system')
    return told?.data?.['client-ca-file']
  } catch (error) {
    // Without the right to read it there are still tokens.
    if (error instanceof ApiError && error.status === 403) return undefined
    throw error
  }
}
