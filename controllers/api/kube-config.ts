import { accessSync, constants, existsSync } from 'node:fs'
import { KubeConfig } from '@kubernetes/client-node'

/** Options of loading. */
export interface KubeConfigOptions {
  /** The context to use. Default: the current one. */
  readonly context?: string
}

/**
 * Loads a kubeconfig. Of several files the first that has a name counts, and a file that does not exist is left out, as
 * kubectl reads `$KUBECONFIG`. Throws one clear line, without anything of their content, where they cannot be used.
 */
export function loadKubeConfig(path: string | readonly string[], { context }: KubeConfigOptions = {}): KubeConfig {
  const paths = typeof path === 'string' ? [path] : path
  const there = paths.length === 1 ? paths : paths.filter(existsSync)
  const shown = paths.join(', ')
  if (there.length === 0) throw new Error(`Cannot read kubeconfig ${shown}: there is no such file`)
  const config = joined(there.map(read))
  if (context !== undefined) config.setCurrentContext(context)
  const isMissing = context !== undefined && config.getContextObject(context) === null
  const problem = isMissing ? `it has no context ${context}` : problemOf(config)
  if (problem !== undefined) throw new Error(`Cannot use kubeconfig ${shown}: ${problem}`)
  return config
}

/** The access of the Pod that this process runs in. Throws in one clear line where it runs in none. */
export function kubeConfigOfPod(): KubeConfig {
  const config = new KubeConfig()
  if (process.env.KUBERNETES_SERVICE_HOST === undefined) {
    throw new Error(
      'Cannot find the API: this is no Pod (KUBERNETES_SERVICE_HOST is not set), so name --kubeconfig FILE',
    )
  }
  config.loadFromCluster()
  return config
}

function read(path: string): KubeConfig {
  try {
    accessSync(path, constants.R_OK)
  } catch (error) {
    throw new Error(`Cannot read kubeconfig ${path}: ${accessProblem(error)}`, { cause: error })
  }
  const config = new KubeConfig()
  try {
    config.loadFromFile(path)
  } catch {
    // The parser's message quotes the file, and with it credentials.
    throw new Error(`Cannot use kubeconfig ${path}: it is not a kubeconfig in YAML or JSON`)
  }
  return config
}

function joined([first = new KubeConfig(), ...others]: readonly KubeConfig[]): KubeConfig {
  const has = (known: readonly { readonly name: string }[], name: string) => known.some(each => each.name === name)
  for (const other of others) {
    for (const cluster of other.clusters) if (!has(first.clusters, cluster.name)) first.addCluster(cluster)
    for (const user of other.users) if (!has(first.users, user.name)) first.addUser(user)
    for (const context of other.contexts) if (!has(first.contexts, context.name)) first.addContext(context)
    if (!first.currentContext && other.currentContext) first.setCurrentContext(other.currentContext)
  }
  return first
}

function accessProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'its permissions do not allow it'
  return error instanceof Error ? error.message : String(error)
}

function problemOf(config: KubeConfig): string | undefined {
  const context = config.getCurrentContext()
  if (!context) return 'it names no current-context'
  const found = config.getContextObject(context)
  if (found === null) return `its current-context ${context} is not among its contexts`
  const cluster = config.getCurrentCluster()
  if (cluster === null) return `its context ${context} names the cluster ${found.cluster}, which it does not have`
  if (!URL.canParse(cluster.server)) return `the server of its cluster ${cluster.name} is no URL`
  if (found.user && config.getCurrentUser() === null)
    return `its context ${context} names the user ${found.user}, whom it does not have`
  return undefined
}
