import { accessSync, constants } from 'node:fs'
import { KubeConfig } from '@kubernetes/client-node'

/** Loads a kubeconfig. Throws one clear line, without anything of its content, where it cannot be used. */
export function loadKubeConfig(path: string): KubeConfig {
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
  const problem = problemOf(config)
  if (problem !== undefined) throw new Error(`Cannot use kubeconfig ${path}: ${problem}`)
  return config
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
