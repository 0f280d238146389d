/** `skystead controller` as a process of its own beside a Kubernetes API, to be killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { projectPath } from '../../../cli/repository.ts'

/** How long a start may take, in ms. */
const startLimit = 90_000

/** A replica that runs. */
export interface ControllerProcess {
  /** What it has written to stderr: its log. */
  readonly log: () => string
  /** Ends it by a signal; resolves when it has gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

/** Starts a replica; resolves once it says that it is ready. */
export async function startController(kubeconfig: string): Promise<ControllerProcess> {
  const command = [projectPath('cli/main.ts'), 'controller', '--kubeconfig', kubeconfig, '--metrics-port', '0']
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    log += text
  })
  await ready(child, () => log)
  return { log: () => log, end: signal => ended(child, signal) }
}

function ready(child: ChildProcess, log: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Not ready after ${startLimit} ms: ${log()}`)), startLimit)
    child.once('exit', code => reject(new Error(`Ended with ${code}: ${log()}`)))
    child.stdout?.setEncoding('utf8').on('data', text => {
      if (!text.includes('skystead ready')) return
      clearTimeout(timer)
      resolve()
    })
  })
}

function ended(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => {
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}
