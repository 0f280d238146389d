import { DriverError, type DriverErrorCode } from '../contract/errors.ts'
import { errorNumber } from './procedures.ts'
import type { XdrReader } from './xdr.ts'

const codes = new Map<number, DriverErrorCode>([
  [errorNumber.noMemory, 'ResourceExhausted'],
  [errorNumber.noSupport, 'Unsupported'],
  [errorNumber.unknownHost, 'Unavailable'],
  [errorNumber.noConnect, 'Unavailable'],
  [errorNumber.invalidConnection, 'Unavailable'],
  [errorNumber.invalidArgument, 'InvalidArgument'],
  [errorNumber.xmlError, 'InvalidArgument'],
  [errorNumber.domainExists, 'AlreadyExists'],
  [errorNumber.operationDenied, 'Unauthenticated'],
  [errorNumber.xmlDetail, 'InvalidArgument'],
  [errorNumber.rpc, 'Unavailable'],
  [errorNumber.noDomain, 'NotFound'],
  [errorNumber.invalidMAC, 'InvalidArgument'],
  [errorNumber.authenticationFailed, 'Unauthenticated'],
  [errorNumber.noStoragePool, 'NotFound'],
  [errorNumber.noStorageVolume, 'NotFound'],
  [errorNumber.operationInvalid, 'FailedPrecondition'],
  [errorNumber.configurationUnsupported, 'Unsupported'],
  [errorNumber.operationTimeout, 'Timeout'],
  [errorNumber.argumentUnsupported, 'Unsupported'],
  [errorNumber.storagePoolBuilt, 'AlreadyExists'],
  [errorNumber.operationAborted, 'Aborted'],
  [errorNumber.authenticationCancelled, 'Unauthenticated'],
  [errorNumber.noDomainMetadata, 'NotFound'],
  [errorNumber.operationUnsupported, 'Unsupported'],
  [errorNumber.agentUnresponsive, 'Timeout'],
  [errorNumber.resourceBusy, 'FailedPrecondition'],
  [errorNumber.accessDenied, 'Unauthenticated'],
  [errorNumber.storageVolumeExists, 'AlreadyExists'],
  [errorNumber.cpuIncompatible, 'Unsupported'],
  [errorNumber.xmlInvalidSchema, 'InvalidArgument'],
  [errorNumber.authenticationUnavailable, 'Unauthenticated'],
])

/** An error that libvirt answered with. */
export class LibvirtError extends DriverError {
  /** libvirt's own number of it (virErrorNumber). */
  readonly number: number

  constructor(number: number, message: string) {
    super(codeOf(number, message), `libvirt: ${message}`)
    this.number = number
  }
}

/** What an error number of libvirt means for the caller; numbers that say nothing are `Internal`. */
export function codeOf(number: number, message: string): DriverErrorCode {
  // libvirt has no number of its own for a full file system: it hands on what the tool below it said.
  if (message.includes('No space left on device')) return 'ResourceExhausted'
  return codes.get(number) ?? 'Internal'
}

/** Reads the error of a reply (remote_error; what follows the message is of no use to a caller). */
export function readError(reader: XdrReader): LibvirtError {
  const number = reader.int()
  reader.int()
  return new LibvirtError(number, (reader.optionalString() ?? `error ${number}`).trim())
}

/** Whether the error is one of libvirt's with that number. */
export function isLibvirtError(error: unknown, ...numbers: readonly number[]): boolean {
  return error instanceof LibvirtError && numbers.includes(error.number)
}
