import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, copyFile, cp, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheDirectory, cloudKernel } from './libvirt.ts'

/**
 * A Linux guest made of Debian packages: the cloud kernel, busybox, syslinux. It says `GUEST READY boots=N` on its
 * serial console, where a shell runs; it obeys the power button; `halt-guest` in the shell shuts it down from inside.
 * Partition 2 is kept between boots and counts them.
 */
export interface GuestImage {
  /** A qcow2 file, virtual size 40 MiB. */
  readonly path: string
  /** `sha256:` and its digits. */
  readonly checksum: string
}

const run = promisify(execFile)

/** The line by which a guest tells that it is up. */
export const readyLine = 'GUEST READY'
/** Memory the guest needs, in bytes. */
export const guestMemoryBytes = 96 * 1024 * 1024

const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /run /data
for module in $(cat /lib/modules/order); do insmod /lib/modules/$module.ko 2>/dev/null; done
boots=0
if mount -t ext4 /dev/vda2 /data 2>/dev/null; then
  boots=$(( $(cat /data/boots 2>/dev/null || echo 0) + 1 ))
  echo $boots >/data/boots
  sync
fi
mkdir -p /etc/acpi/PWRF
ln -s /bin/halt-guest /etc/acpi/PWRF/00000080
acpid -c /etc/acpi -l /run/acpid.log -f >/dev/null 2>&1 &
disks=$(for disk in /sys/block/vd*; do echo -n "\${disk##*/}:$(cat $disk/size):$(cat $disk/serial) "; done)
nics=$(for nic in /sys/class/net/eth*; do [ -e $nic ] && echo -n "$(cat $nic/address) "; done)
echo "GUEST cpus=$(nproc) disks=$disks nics=$nics" >/dev/console
echo "${readyLine} boots=$boots" >/dev/console
while :; do setsid cttyhack sh; done
`

const halt = `#!/bin/sh
echo "GUEST HALTING" >/dev/console
umount /data 2>/dev/null
sync
exec poweroff -f
`

const bootLoader = `DEFAULT linux
PROMPT 0
TIMEOUT 0
LABEL linux
KERNEL /vmlinuz
INITRD /initrd.zst
APPEND console=ttyS0 quiet loglevel=4 swiotlb=noforce no_timer_check panic=-1 nowatchdog mitigations=off random.trust_cpu=on
`

/** The image, built where it is not in the cache yet (about a second). Needs what `missingForGuests` names. */
export async function guestImage(): Promise<GuestImage> {
  const kernel = cloudKernel()
  if (kernel === undefined) throw new Error('Cannot build a guest: package linux-image-cloud-amd64 is missing')
  const recipe = createHash('sha256').update([kernel, init, halt, bootLoader, 'layout 1'].join('\0')).digest('hex')
  const path = join(cacheDirectory, `guest-${recipe.slice(0, 16)}.qcow2`)
  if (!existsSync(path)) await build(kernel, path)
  return {
    path,
    checksum: `sha256:${createHash('sha256')
      .update(await readFile(path))
      .digest('hex')}`,
  }
}

async function build(kernel: string, path: string): Promise<void> {
  const directory = join(cacheDirectory, `build-${randomBytes(4).toString('hex')}`)
  await mkdir(directory, { recursive: true })
  try {
    await copyFile(`/boot/vmlinuz-${kernel}`, join(directory, 'vmlinuz'))
    await initialFileSystem(kernel, directory)
    await disk(directory)
    await rename(join(directory, 'disk.qcow2'), path)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function initialFileSystem(kernel: string, directory: string): Promise<void> {
  const root = join(directory, 'root')
  for (const part of ['bin', 'etc', 'proc', 'sys', 'dev', 'run', 'data', 'lib/modules']) {
    await mkdir(join(root, part), { recursive: true })
  }
  await cp('/bin/busybox', join(root, 'bin/busybox'), { dereference: true })
  await writeFile(join(root, 'init'), init)
  await writeFile(join(root, 'bin/halt-guest'), halt)
  await chmod(join(root, 'init'), 0o755)
  await chmod(join(root, 'bin/halt-guest'), 0o755)
  const order: string[] = []
  for (const wanted of ['virtio_pci', 'virtio_blk', 'virtio_net', 'button', 'evdev']) {
    const { stdout } = await run('modprobe', ['-S', kernel, '--show-depends', wanted])
    for (const line of stdout.split('\n')) {
      const file = /^insmod (\S+)/.exec(line)?.[1]
      if (file === undefined) continue
      const name = basename(file, '.ko')
      if (order.includes(name)) continue
      order.push(name)
      await copyFile(file, join(root, 'lib/modules', `${name}.ko`))
    }
  }
  await writeFile(join(root, 'lib/modules/order'), `${order.join('\n')}\n`)
  await run('sh', ['-c', 'cd root && find . | cpio -o -H newc | zstd -q -12 -o ../initrd.zst'], { cwd: directory })
}

async function disk(directory: string): Promise<void> {
  const raw = join(directory, 'disk.raw')
  const inside = (program: string, ...parameters: string[]) => run(program, parameters, { cwd: directory })
  const [boot, data] = [{ start: 2048, size: 51200 }, { start: 53248 }]
  await writeFile(raw, '')
  await truncate(raw, 40 * 1024 * 1024)
  const layout = `label: dos\nstart=${boot.start},size=${boot.size},type=c,bootable\nstart=${data.start},type=83\n`
  await writeFile(join(directory, 'layout'), layout)
  await inside('sh', '-c', 'sfdisk -q disk.raw <layout')
  await inside(
    'dd',
    'if=/usr/lib/syslinux/mbr/mbr.bin',
    `of=${raw}`,
    'bs=440',
    'count=1',
    'conv=notrunc',
    'status=none',
  )
  const volume = `${raw}@@${boot.start * 512}`
  await inside('mformat', '-i', volume, '-T', String(boot.size), '-v', 'BOOT', '::')
  await writeFile(join(directory, 'syslinux.cfg'), bootLoader)
  await inside('mcopy', '-i', volume, 'vmlinuz', 'initrd.zst', 'syslinux.cfg', '::')
  await inside('syslinux', '--install', '--offset', String(boot.start * 512), raw)
  const dataKiB = 40 * 1024 - data.start / 2
  await inside('mke2fs', '-q', '-t', 'ext4', '-F', '-E', `offset=${data.start * 512}`, raw, `${dataKiB}k`)
  await inside('qemu-img', 'convert', '-q', '-f', 'raw', '-O', 'qcow2', '-c', raw, join(directory, 'disk.qcow2'))
}
