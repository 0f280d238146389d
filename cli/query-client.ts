import { KubeConfig } from '@kubernetes/client-node'
import { ApiError, apiErrorOf } from '../controllers/api/api-error.ts'
import { kubernetesTransport } from '../controllers/api/kubernetes-transport.ts'
import { type QueryAddress, queryAddresses } from '../controllers/query/publication.ts'
import { queryServerName } from '../controllers/query/server.ts'
import type { Environment } from '../crds/environment.ts'
import type { ApiAccess } from './api-access.ts'
import { UserError } from './user-error.ts'

/**
 * Asks every replica of the controllers the same question and answers with what each said, in order of their names.
 * Replicas that know nothing of what is asked for are left out; of silent ones it tells. `path`: with its query, as in
 * `/observed` or `/explain?kind=Host&name=h1`. Throws one clear line where nobody answers, or where one refuses.
 */
export async function askControllers<T>(
  { client, kubeconfig }: Pick<ApiAccess, 'client' | 'kubeconfig'>,
  path: string,
  environment: Pick<Environment, 'clock'>,
  tell: (line: string) => void = line => void process.stderr.write(`skystead: ${line}\n`),
): Promise<readonly T[]> {
  const addresses = await queryAddresses(client)
  const answers: T[] = []
  const silent: string[] = []
  let cause: unknown
  let unknown: ApiError | undefined
  for (const address of addresses) {
    try {
      // The edge: the controllers of this version answer as this version asks.
      answers.push((await ask(address, kubeconfig, path, environment)) as T)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status === 404) unknown = error
      else if (error.status !== 0) throw refused(error)
      else {
        silent.push(address.url)
        cause = error
      }
    }
  }
  if (answers.length > 0 && silent.length > 0) tell(`${silent.join(', ')} is silent: what it looks after is not told`)
  if (answers.length > 0) return answers
  if (unknown !== undefined) throw refused(unknown)
  const whom = addresses.length === 0 ? 'none is published' : `${addresses.map(({ url }) => url).join(', ')} is silent`
  throw new UserError(
    `Cannot ask the controllers: ${whom}; do they run ("skystead up", or "skystead controller --query-host ADDRESS")?`,
    { cause },
  )
}

function refused(error: ApiError): UserError {
  return new UserError(`The controllers refuse: ${error.message}`, { cause: error })
}

async function ask(
  { url, authority }: QueryAddress,
  known: KubeConfig,
  path: string,
  environment: Pick<Environment, 'clock'>,
): Promise<unknown> {
  const kubeconfig = new KubeConfig()
  const user = known.getCurrentUser() ?? { name: 'anonymous' }
  const cluster = {
    name: 'skystead-controllers',
    server: url,
    caData: Buffer.from(authority).toString('base64'),
    tlsServerName: queryServerName,
    skipTLSVerify: false,
  }
  kubeconfig.loadFromClusterAndUser(cluster, user)
  const transport = kubernetesTransport({ kubeconfig, environment })
  try {
    const { status, headers, body } = await transport.request({ method: 'GET', path })
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    if (status !== 200) throw apiErrorOf(status, value, headers)
    return value
  } finally {
    await transport.close()
  }
}
