import { execFile, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, existsSync, openSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '../../until.ts'

/**
 * A libvirt of the tests' own: libvirtd in a mount, network and host name namespace of its own, with its own /run,
 * /etc/libvirt and /var/lib/libvirt. Nothing of the machine's libvirt is seen or touched, and no bridge appears in
 * the machine's network.
 */
export interface LibvirtLab extends AsyncDisposable {
  /** Everything of the lab is below it; removed at the end. */
  readonly directory: string
  /** The daemon's socket, to be given to the driver. */
  readonly socketPath: string
  /** A bridge without uplink, for NICs. */
  readonly bridge: string
  /** Runs virsh on the lab's libvirt, behind the driver's back; answers with what it printed. */
  virsh(...command: string[]): Promise<string>
  /** Runs qemu-img. */
  image(...command: string[]): Promise<string>
  /** Process id of a running domain's QEMU. */
  qemuPid(domain: string): Promise<number>
  /** Process id of the daemon, as it runs now. */
  daemonPid(): number
  /** Ends the daemon (guests run on) and waits until it is gone. */
  stopDaemon(signal?: NodeJS.Signals): Promise<void>
  /** Starts the daemon again and waits until it answers. */
  startDaemon(): Promise<void>
}

const run = promisify(execFile)

/** Where what is slow to make is kept between runs, outside the repository. */
export const cacheDirectory =
  process.env.XDG_CACHE_HOME === undefined
    ? '/var/cache/skystead-test'
    : join(process.env.XDG_CACHE_HOME, 'skystead-test')

const programs: readonly (readonly [program: string, debianPackage: string])[] = [
  ['/usr/sbin/libvirtd', 'libvirt-daemon-system'],
  ['/usr/bin/virsh', 'libvirt-clients'],
  ['/usr/bin/qemu-system-x86_64', 'qemu-system-x86'],
  ['/usr/bin/qemu-img', 'qemu-utils'],
  ['/usr/sbin/ip', 'iproute2'],
  ['/bin/busybox', 'busybox-static'],
  ['/usr/bin/syslinux', 'syslinux'],
  ['/usr/lib/syslinux/mbr/mbr.bin', 'syslinux-common'],
  ['/usr/bin/mcopy', 'mtools'],
  ['/usr/sbin/sfdisk', 'fdisk'],
  ['/usr/bin/cpio', 'cpio'],
  ['/usr/bin/zstd', 'zstd'],
  ['/usr/sbin/modprobe', 'kmod'],
]

/** What this machine lacks to run real guests, for people; empty where nothing is missing. */
export function missingForGuests(): string[] {
  const missing: string[] = []
  if (process.getuid?.() !== 0) missing.push('root')
  for (const [program, debianPackage] of programs) {
    if (!existsSync(program)) missing.push(`package ${debianPackage}`)
  }
  if (cloudKernel() === undefined) missing.push('package linux-image-cloud-amd64')
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch {
    missing.push('/dev/net/tun')
  }
  return missing
}

/** The release of the newest cloud kernel of Debian on this machine. */
export function cloudKernel(): string | undefined {
  if (!existsSync('/lib/modules')) return undefined
  const releases = readdirSync('/lib/modules')
  return releases
    .filter(release => release.includes('cloud') && existsSync(`/boot/vmlinuz-${release}`))
    .sort()
    .at(-1)
}

/** Starts a lab. Throws with the daemon's log when it does not come up. */
export async function startLibvirtLab(): Promise<LibvirtLab> {
  // UNIX socket paths are short: a directory near the root.
  const directory = await mkdtemp('/tmp/skystead-lab-')
  const socketPath = join(directory, 'sock', 'libvirt-sock')
  const bridge = 'guest0'
  await prepare(directory)
  let daemon = 0
  const url = `qemu+unix:///system?socket=${socketPath}`
  const virsh = async (...command: string[]) => (await run('virsh', ['-q', '-c', url, ...command])).stdout

  async function startDaemon(): Promise<void> {
    const log = openSync(join(directory, 'daemon.log'), 'a')
    const child = spawn('nsenter', ['--target', String(holder.pid), '--mount', '--net', '--uts', 'libvirtd'], {
      stdio: ['ignore', log, log],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' },
    })
    closeSync(log)
    daemon = child.pid ?? 0
    await until('an answer of libvirtd', async () => {
      if (child.exitCode !== null) throw new Error(await readFile(join(directory, 'daemon.log'), 'utf8'))
      return (await virsh('version').catch(() => undefined)) !== undefined
    })
  }
  async function stopDaemon(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (daemon === 0) return
    const pid = daemon
    process.kill(pid, signal)
    await until('the end of libvirtd', async () => !alive(pid))
    daemon = 0
  }
  async function end(): Promise<void> {
    await stopDaemon()
    for (const pid of await qemuPids(directory)) {
      if (alive(pid)) process.kill(pid, 'SIGKILL')
      await until('the end of QEMU', async () => !alive(pid))
    }
    holder.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  }

  const holder = spawn(
    'unshare',
    ['--mount', '--net', '--uts', '--propagation', 'private', 'sh', '-c', namespaceScript(bridge)],
    {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LAB: directory, CACHE: join(cacheDirectory, 'libvirt') },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  await new Promise<void>((resolve, reject) => {
    holder.stdout?.once('data', () => resolve())
    holder.once('exit', code => reject(new Error(`Cannot make the lab's namespaces: exit code ${code}`)))
  })
  try {
    await startDaemon()
  } catch (error) {
    await end()
    throw error
  }
  return {
    directory,
    socketPath,
    bridge,
    virsh,
    image: async (...command) => (await run('qemu-img', command)).stdout,
    qemuPid: async domain => Number(await readFile(join(directory, 'run/libvirt/qemu', `${domain}.pid`), 'utf8')),
    daemonPid: () => daemon,
    stopDaemon,
    startDaemon,
    [Symbol.asyncDispose]: end,
  }
}

async function prepare(directory: string): Promise<void> {
  for (const part of ['sock', 'run/libvirt', 'run/lock', 'etc/qemu/networks', 'lib', 'log']) {
    await mkdir(join(directory, part), { recursive: true })
  }
  await mkdir(join(cacheDirectory, 'libvirt'), { recursive: true })
  const daemon = [
    `unix_sock_dir = "${join(directory, 'sock')}"`,
    'unix_sock_ro_perms = "0700"',
    'unix_sock_rw_perms = "0700"',
    'auth_unix_rw = "none"',
    'auth_unix_ro = "none"',
    'keepalive_interval = 1',
    'keepalive_count = 2',
    'host_uuid_source = "machine-id"',
  ]
  const qemu = [
    'user = "root"',
    'group = "root"',
    'dynamic_ownership = 0',
    'remember_owner = 0',
    'security_driver = "none"',
    'stdio_handler = "file"',
    'namespaces = []',
    'cgroup_controllers = []',
  ]
  await writeFile(join(directory, 'etc/libvirtd.conf'), `${daemon.join('\n')}\n`)
  await writeFile(join(directory, 'etc/qemu.conf'), `${qemu.join('\n')}\n`)
  // Without its own name in /etc/hosts libvirt asks a name server at every start of a guest.
  await writeFile(join(directory, 'hosts'), '127.0.0.1 localhost skystead-lab\n')
  await writeFile(join(directory, 'resolv.conf'), '')
}

/** Makes the lab's own view of the machine, then holds the namespaces open until its input ends. */
function namespaceScript(bridge: string): string {
  // A /dev without kvm: the tests run on TCG everywhere, and libvirt's cache of what QEMU can do stays valid.
  return `
set -e
hostname skystead-lab
mount --bind "$LAB/run" /run
mount --bind "$LAB/etc" /etc/libvirt
mount --bind "$LAB/lib" /var/lib/libvirt
mount --bind "$LAB/log" /var/log/libvirt
mkdir -p /var/cache/libvirt
mount --bind "$CACHE" /var/cache/libvirt
mount --bind "$LAB/hosts" /etc/hosts
mount --bind "$LAB/resolv.conf" /etc/resolv.conf
mkdir "$LAB/dev"
mount -t tmpfs dev "$LAB/dev"
for node in null zero full random urandom tty ptmx fd stdin stdout stderr; do
  cp -a "/dev/$node" "$LAB/dev/$node"
done
for part in net pts shm; do
  mkdir -p "$LAB/dev/$part"
  mount --bind "/dev/$part" "$LAB/dev/$part"
done
mount --move "$LAB/dev" /dev
ip link set lo up
ip link add ${bridge} type bridge
ip link set ${bridge} up
echo ready
cat >/dev/null
`
}

async function qemuPids(directory: string): Promise<number[]> {
  const where = join(directory, 'run/libvirt/qemu')
  if (!existsSync(where)) return []
  const files = (await readdir(where)).filter(name => name.endsWith('.pid'))
  return await Promise.all(files.map(async name => Number(await readFile(join(where, name), 'utf8'))))
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
