import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { ApiError } from '../controllers/api/api-error.ts'
import { type Client, createClient } from '../controllers/api/client.ts'
import { loadKubeConfig } from '../controllers/api/kube-config.ts'
import { kubernetesTransport } from '../controllers/api/kubernetes-transport.ts'
import type { Environment } from '../crds/environment.ts'
import { UserError } from './user-error.ts'

/**
 * Which API a command talks to. Where neither is given: `$KUBECONFIG`, else the home `.skystead` of this directory, else
 * `~/.kube/config`.
 */
export interface ApiOptions {
  /** The directory of `skystead up`. */
  readonly home?: string
  /** Path of a kubeconfig. */
  readonly kubeconfig?: string
  /** A context of the kubeconfig. Default: its current one. */
  readonly context?: string
}

/** The way to an API that is already running. */
export interface ApiAccess extends AsyncDisposable {
  readonly client: Client
  readonly kubeconfig: KubeConfig
  /** The path of the kubeconfig in use. */
  readonly kubeconfigPath: string
}

/** Opens the way to the API of a home, or of a kubeconfig. Throws one clear line where there is none. */
export function openApi(options: ApiOptions, environment: Pick<Environment, 'clock'>): ApiAccess {
  const paths = kubeconfigsOf(options)
  const kubeconfig = loadKubeConfig(paths, options)
  const transport = kubernetesTransport({ kubeconfig, environment })
  return {
    client: createClient(transport),
    kubeconfig,
    kubeconfigPath: paths.join(', '),
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

function kubeconfigsOf({ home, kubeconfig }: ApiOptions): readonly string[] {
  if (kubeconfig !== undefined) return [resolve(kubeconfig)]
  const named = (process.env.KUBECONFIG ?? '').split(delimiter).filter(path => path !== '')
  if (home === undefined && named.length > 0) return named.map(path => resolve(path))
  const own = join(resolve(home ?? '.skystead'), 'kubeconfig')
  if (existsSync(own)) return [own]
  const general = join(homedir(), '.kube', 'config')
  if (home === undefined && existsSync(general)) return [general]
  throw new UserError(
    `Cannot find a cloud: ${own} does not exist; start one with "skystead up", or name one with --home, --kubeconfig or $KUBECONFIG`,
  )
}
