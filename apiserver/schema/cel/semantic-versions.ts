/** Kubernetes' semantic versions (`1.2.3-rc.1`) in CEL. */

import type { Environment } from '@marcbachmann/cel-js'

const sync = { async: false }

const number = '(0|[1-9]\\d*)'
const identifiers = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const whole = new RegExp(`^${number}\\.${number}\\.${number}(?:-(${identifiers}))?(?:\\+(${identifiers}))?$`)

class Version {
  readonly numbers: readonly bigint[]
  readonly labels: readonly string[]

  constructor(numbers: readonly bigint[], labels: readonly string[]) {
    this.numbers = numbers
    this.labels = labels
  }

  equals(other: unknown): boolean {
    return other instanceof Version && compare(this, other) === 0n
  }
}

/** Reads a version; with `normalize` also `v1.2` and `01.2.3`. */
function read(text: string, normalize: boolean): Version | undefined {
  const parts = whole.exec(normalize ? normalized(text) : text)
  if (!parts) return undefined
  const [, major = '', minor = '', patch = '', label] = parts
  const labels = label === undefined ? [] : label.split('.')
  if (labels.some(each => /^0\d+$/.test(each))) return undefined
  return new Version([BigInt(major), BigInt(minor), BigInt(patch)], labels)
}

/** Without a leading v and leading zeros, with the numbers that are missing. */
function normalized(text: string): string {
  const parts = text.replace(/^v/, '').split('.')
  if (parts.length > 3) return parts.join('.')
  const numbers = parts.map(part => part.replace(/^0+(?=\d)/, ''))
  if (numbers.length < 3 && /[-+]/.test(numbers.at(-1) ?? '')) return text
  return [...numbers, '0', '0'].slice(0, Math.max(3, numbers.length)).join('.')
}

function parse(text: string, normalize = false): Version {
  const version = read(text, normalize)
  if (!version && text.split('.').length < 3) throw new TypeError('No Major.Minor.Patch elements found')
  if (!version) throw new TypeError(`cannot read ${JSON.stringify(text)} as a semantic version`)
  return version
}

function compare(a: Version, b: Version): bigint {
  for (const [index, left] of a.numbers.entries()) {
    const right = b.numbers[index] ?? 0n
    if (left !== right) return left < right ? -1n : 1n
  }
  return compareLabels(a.labels, b.labels)
}

/** A version with labels comes before the one without; numbers come before words. */
function compareLabels(a: readonly string[], b: readonly string[]): bigint {
  if (a.length === 0 || b.length === 0) return BigInt(Math.sign(b.length - a.length))
  for (const [index, left] of a.entries()) {
    const right = b[index]
    if (right === undefined) return 1n
    if (left === right) continue
    const [isLeftNumber, isRightNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)]
    if (isLeftNumber !== isRightNumber) return isLeftNumber ? -1n : 1n
    const isLess = isLeftNumber ? BigInt(left) < BigInt(right) : left < right
    return isLess ? -1n : 1n
  }
  return a.length < b.length ? -1n : 0n
}

/** Adds `semver`, `isSemver` and their methods. */
export function addSemanticVersions(environment: Environment): void {
  const type = 'kubernetes.Semver'
  const part = (index: number) => (version: Version) => version.numbers[index] ?? 0n
  environment
    .registerType(type, Version)
    .registerOperator(`${type} == ${type}`, (a: Version, b: Version) => a.equals(b))
    .registerFunction('isSemver(string): bool', (text: string) => read(text, false) !== undefined, sync)
    .registerFunction(
      'isSemver(string, bool): bool',
      (text: string, normalize: boolean) => read(text, normalize) !== undefined,
      sync,
    )
    .registerFunction(`semver(string): ${type}`, (text: string) => parse(text), sync)
    .registerFunction(`semver(string, bool): ${type}`, parse, sync)
    .registerFunction(`${type}.major(): int`, part(0), sync)
    .registerFunction(`${type}.minor(): int`, part(1), sync)
    .registerFunction(`${type}.patch(): int`, part(2), sync)
    .registerFunction(`${type}.compareTo(${type}): int`, compare, sync)
    .registerFunction(`${type}.isGreaterThan(${type}): bool`, (a: Version, b: Version) => compare(a, b) > 0n, sync)
    .registerFunction(`${type}.isLessThan(${type}): bool`, (a: Version, b: Version) => compare(a, b) < 0n, sync)
}
