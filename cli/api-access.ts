import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ApiError } from '../controllers/api/api-error.ts'
import { type Client, createClient } from '../controllers/api/client.ts'
import { kubernetesTransport } from '../controllers/api/kubernetes-transport.ts'
import type { Environment } from '../crds/environment.ts'
import { UserError } from './user-error.ts'

/** Which API a command talks to. */
export interface ApiOptions {
  /** The directory of `skystead up`. */
  readonly home: string
  /** Path of a kubeconfig. Left out: the home's own. */
  readonly kubeconfig?: string
}

/** The way to an API that is already running. */
export interface ApiAccess extends AsyncDisposable {
  readonly client: Client
  /** The path of the kubeconfig in use. */
  readonly kubeconfigPath: string
}

/** Opens the way to the API of a home, or of a kubeconfig. Throws one clear line where there is none. */
export function openApi(options: ApiOptions, environment: Pick<Environment, 'clock'>): ApiAccess {
  const kubeconfigPath = kubeconfigOf(options)
  const transport = kubernetesTransport({ kubeconfig: kubeconfigPath, environment })
  return {
    client: createClient(transport),
    kubeconfigPath,
    [Symbol.asyncDispose]: () => transport.close(),
  }
}

/** The error of a request for a person, who knows the kubeconfig and not the path of the request. */
export function explained(error: unknown, { kubeconfigPath }: Pick<ApiAccess, 'kubeconfigPath'>): unknown {
  if (!(error instanceof ApiError)) return error
  if (error.status === 0) {
    return new UserError(`Cannot reach the API of ${kubeconfigPath}: is it running? (${error.message})`, {
      cause: error,
    })
  }
  if (error.reason === 'NotFound') {
    return new UserError(`Cannot use the API of ${kubeconfigPath}: Skystead is not installed there`, { cause: error })
  }
  return error
}

function kubeconfigOf({ home, kubeconfig }: ApiOptions): string {
  if (kubeconfig !== undefined) return resolve(kubeconfig)
  const path = join(resolve(home), 'kubeconfig')
  if (existsSync(path)) return path
  throw new UserError(
    `Cannot find a cloud: ${path} does not exist; start one with "skystead up", or name one with --home or --kubeconfig`,
  )
}
