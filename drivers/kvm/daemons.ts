import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Where a daemon listens and what it is asked to open. */
export interface DaemonAddress {
  readonly path: string
  readonly uri: string
}

/** The daemons of a host: one libvirtd for everything, or the modular daemons side by side. */
export interface Daemons {
  readonly hypervisor: DaemonAddress
  readonly storage: DaemonAddress
}

const usualDirectory = '/run/libvirt'
const monolithic = 'libvirt-sock'
const modular = 'virtqemud-sock'
const modularStorage = 'virtstoraged-sock'

/**
 * The daemons behind a socket. `socketPath` is a socket, or a directory that holds sockets; default `/run/libvirt`.
 * In a directory the modular daemons come before libvirtd: a host has one or the other.
 */
export function findDaemons(socketPath: string = usualDirectory): Daemons {
  if (isDirectory(socketPath)) return findDaemonsIn(socketPath)
  if (basename(socketPath) === modular) return modularDaemons(dirname(socketPath))
  return libvirtd(socketPath)
}

function findDaemonsIn(directory: string): Daemons {
  return existsSync(join(directory, modular)) ? modularDaemons(directory) : libvirtd(join(directory, monolithic))
}

function libvirtd(path: string): Daemons {
  const address = { path, uri: 'qemu:///system' }
  return { hypervisor: address, storage: address }
}

function modularDaemons(directory: string): Daemons {
  return {
    hypervisor: { path: join(directory, modular), uri: 'qemu:///system' },
    storage: { path: join(directory, modularStorage), uri: 'storage:///system' },
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
