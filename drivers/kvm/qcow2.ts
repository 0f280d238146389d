import { type FileHandle, open } from 'node:fs/promises'

/** What the head of a disk image says (qcow2 specification, "Header"). */
export interface ImageHeader {
  readonly format: 'QCOW2' | 'RAW'
  /** What a guest sees, in bytes; of a raw image the length of its file. */
  readonly sizeBytes: number
  /** The image it lies upon, as written in it. */
  readonly backingFile?: string
  /** Whether its data is in yet another file. */
  readonly externalData: boolean
}

const magic = 0x514649fb
const headerLength = 80
const longestBackingName = 1023
const externalDataBit = 4n

/** Reads an image's head. What is no qcow2 is raw: raw images have no head. */
export async function readImageHeader(path: string): Promise<ImageHeader> {
  const file = await open(path, 'r')
  try {
    const head = Buffer.alloc(headerLength)
    const { bytesRead } = await file.read(head, 0, headerLength, 0)
    if (bytesRead < 72 || head.readUInt32BE(0) !== magic) {
      return { format: 'RAW', sizeBytes: (await file.stat()).size, externalData: false }
    }
    const version = head.readUInt32BE(4)
    const backingFile = await readBackingFile(file, Number(head.readBigUInt64BE(8)), head.readUInt32BE(16))
    return {
      format: 'QCOW2',
      sizeBytes: Number(head.readBigUInt64BE(24)),
      ...(backingFile === undefined ? {} : { backingFile }),
      externalData: version >= 3 && (head.readBigUInt64BE(72) & externalDataBit) !== 0n,
    }
  } finally {
    await file.close()
  }
}

async function readBackingFile(file: FileHandle, offset: number, length: number): Promise<string | undefined> {
  if (offset === 0 || length === 0) return undefined
  const name = Buffer.alloc(Math.min(length, longestBackingName))
  const { bytesRead } = await file.read(name, 0, name.length, offset)
  return name.toString('utf8', 0, bytesRead)
}
