/** A Kubernetes API as it really is, on the loopback: its store, its server, and the controllers that clean up. */
import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realEnvironment } from '../../../cli/environment.ts'
import { freePort } from '../../free-port.ts'
import { until } from '../../until.ts'
import { connect } from '../api.ts'
import type { Programs } from './build.ts'

/** A reference server that runs. */
export interface ReferenceServer extends AsyncDisposable {
  readonly kubeconfig: string
  /** Of the store and the server. */
  readonly pids: readonly (number | undefined)[]
}

/** Starts it; rejects with the last of what it said where it is not ready within 90 s. */
export async function startReference(programs: Programs): Promise<ReferenceServer> {
  const home = mkdtempSync(join(tmpdir(), 'skystead-reference-'))
  const children: ChildProcess[] = []
  const start = (program: string, name: string, flags: readonly string[]) => {
    const child = spawn(program, flags, { stdio: ['ignore', 'pipe', 'pipe'] })
    const log = createWriteStream(join(home, `${name}.log`))
    child.stdout?.pipe(log)
    child.stderr?.pipe(log)
    children.push(child)
  }
  const stop = async () => {
    for (const child of children.toReversed()) await ended(child)
    rmSync(home, { recursive: true })
  }
  try {
    const [client, peer, secure] = [await freePort(), await freePort(), await freePort()]
    start(programs.etcd, 'etcd', etcdFlags(home, client, peer))
    const token = writeCredentials(home)
    start(programs.apiserver, 'apiserver', apiserverFlags(home, client, secure))
    const kubeconfig = join(home, 'kubeconfig')
    await ready(home, () => answers(kubeconfig, { home, port: secure, token }))
    const pids = children.map(({ pid }) => pid)
    start(programs.controllerManager, 'controllers', controllerFlags(home, kubeconfig))
    return { kubeconfig, pids, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function etcdFlags(home: string, client: number, peer: number): readonly string[] {
  const [clients, peers] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  return [
    `--data-dir=${join(home, 'etcd')}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    '--log-level=error',
  ]
}

function apiserverFlags(home: string, etcd: number, port: number): readonly string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(home, 'pki')}`,
    `--token-auth-file=${join(home, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${join(home, 'account.key')}`,
    `--service-account-key-file=${join(home, 'account.key')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--disable-admission-plugins=ServiceAccount',
  ]
}

function controllerFlags(home: string, kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--controllers=namespace-controller,garbage-collector-controller,clusterrole-aggregation-controller',
    '--leader-elect=false',
    // Hundreds of cases leave a namespace each: by default that takes longer than anybody waits.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    '--concurrent-namespace-syncs=20',
    '--secure-port=0',
    `--cert-dir=${join(home, 'controllers')}`,
  ]
}

/** The keys of service accounts, and the token of an administrator, which is answered. */
function writeCredentials(home: string): string {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  writeFileSync(join(home, 'account.key'), privateKey, { mode: 0o600 })
  const token = randomBytes(24).toString('hex')
  writeFileSync(join(home, 'tokens.csv'), `${token},admin,admin,system:masters\n`, { mode: 0o600 })
  mkdirSync(join(home, 'pki'))
  return token
}

interface Address {
  readonly home: string
  readonly port: number
  readonly token: string
}

function writeKubeconfig(path: string, { home, port, token }: Address): void {
  const authority = readFileSync(join(home, 'pki', 'apiserver.crt')).toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'reference',
    clusters: [
      { name: 'reference', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': authority } },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'reference', context: { cluster: 'reference', user: 'admin' } }],
  }
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
}

async function ready(home: string, isReady: () => Promise<boolean>): Promise<void> {
  try {
    await until('the reference server', isReady)
  } catch (cause) {
    const said = readFileSync(join(home, 'apiserver.log'), 'utf8').slice(-2_000)
    throw new Error(`Cannot start the reference server: ${said}`, { cause })
  }
}

/** Its certificate comes first, then it listens, then it is ready. */
async function answers(kubeconfig: string, server: Address): Promise<boolean> {
  try {
    writeKubeconfig(kubeconfig, server)
    await using api = connect(kubeconfig, realEnvironment())
    return (await api.get('/readyz')).status === 200
  } catch {
    return false
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}
