import { DriverError } from '../contract/errors.ts'

const prefix = 'sim://images/'
const defaultImageBytes = 1024 ** 3

/**
 * What there is to fetch at a URL. Every `sim://images/<name>` exists (1 GiB; `?sizeBytes=` says otherwise), except
 * that names beginning with `missing` do not and those with `corrupt` never match a checksum.
 */
export function describeImage(image: { readonly url: string; readonly checksum?: string }): {
  readonly sizeBytes: number
} {
  if (!image.url.startsWith(prefix)) {
    throw new DriverError(
      'Unsupported',
      `Cannot fetch ${withoutQuery(image.url)}: simulated images begin with ${prefix}`,
    )
  }
  const name = withoutQuery(image.url).slice(prefix.length)
  if (name === '' || name.startsWith('missing')) {
    throw new DriverError('NotFound', `Cannot fetch ${prefix}${name}: there is no such image`)
  }
  if (image.checksum !== undefined && name.startsWith('corrupt')) {
    throw new DriverError('InvalidArgument', `Cannot use ${prefix}${name}: its checksum is not the one given`)
  }
  const asked = Number(/[?&]sizeBytes=(\d+)/.exec(image.url)?.[1] ?? defaultImageBytes)
  return { sizeBytes: Number.isSafeInteger(asked) && asked > 0 ? asked : defaultImageBytes }
}

/** A query may hold a signature, which no message shows. */
function withoutQuery(url: string): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}
