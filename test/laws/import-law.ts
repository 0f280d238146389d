/** Who may import whom: the table of the architecture, as data. */
import { posix } from 'node:path'
import { type CallExpression, type ImportDeclaration, Node, type SourceFile, SyntaxKind } from 'ts-morph'
import { parsed, pathOf, type Source, type Violation } from './sources.ts'

/** One arrow that is allowed: to a folder, or to some of its files by values as well. */
interface Arrow {
  readonly to: string
  /** `types`: only `import type`. Default: values as well. */
  readonly only?: 'types'
}

interface Rule {
  readonly from: string
  readonly arrows: readonly Arrow[]
  /** Packages that its files may import; left out: any. */
  readonly packages?: readonly string[]
}

const driverArrows: readonly Arrow[] = [
  { to: 'crds/environment.ts' },
  { to: 'crds', only: 'types' },
  { to: 'drivers/contract' },
]

/** The first rule whose folder holds a file is the file's. Within its own folder a file imports what it likes. */
const rules: readonly Rule[] = [
  { from: 'crds', arrows: [], packages: ['fast-deep-equal', 'ipaddr.js'] },
  {
    from: 'reconcilers',
    arrows: [
      { to: 'crds' },
      // Pure makers of values that the contract defines: an endpoint's key, an operation.
      { to: 'drivers/contract/endpoint.ts' },
      { to: 'drivers/contract/operation.ts' },
      { to: 'drivers/contract/adoption.ts' },
      { to: 'drivers/contract', only: 'types' },
    ],
    packages: ['fast-deep-equal', 'ipaddr.js', 'node:crypto'],
  },
  { from: 'drivers/contract', arrows: [{ to: 'crds', only: 'types' }], packages: [] },
  ...['simulator', 'kvm', 'power'].map(name => ({ from: `drivers/${name}`, arrows: driverArrows })),
  // What power drivers share is one piece of code.
  ...['ipmi', 'redfish'].map(name => ({
    from: `drivers/${name}`,
    arrows: [...driverArrows, { to: 'drivers/power' }],
  })),
  // The engine knows drivers by their contract; only `cli/` names implementations.
  { from: 'controllers', arrows: [{ to: 'crds' }, { to: 'reconcilers' }, { to: 'drivers/contract' }] },
  { from: 'apiserver', arrows: [{ to: 'crds' }] },
  { from: 'cli', arrows: ['crds', 'reconcilers', 'drivers', 'controllers', 'apiserver'].map(to => ({ to })) },
  ...['tools', 'bench', 'test'].map(from => ({ from, arrows: [{ to: '' }] })),
]

interface Import {
  readonly from: string
  /** A path from the root, or the name of a package. */
  readonly to: string
  readonly typeOnly: boolean
  readonly line: number
}

/** Arrows between files that the table does not allow. */
export function forbiddenImports(sources: readonly Source[]): readonly Violation[] {
  return importsOf(sources).flatMap(found => {
    const rule = rules.find(({ from }) => within(found.from, from))
    const place = `${found.from}:${found.line}`
    if (rule === undefined) return [`${place}: the folder is missing in the table of imports`]
    if (isPackage(found.to)) {
      const allowed = rule.packages === undefined || rule.packages.includes(found.to)
      return allowed ? [] : [`${place}: ${rule.from}/ may not import the package ${found.to}`]
    }
    if (within(found.to, rule.from)) return []
    const arrow = rule.arrows.find(({ to }) => within(found.to, to))
    if (arrow === undefined) return [`${place}: ${rule.from}/ may not import ${found.to}`]
    const isAllowed = arrow.only === undefined || found.typeOnly
    return isAllowed ? [] : [`${place}: ${rule.from}/ may import only types of ${found.to}`]
  })
}

/** Circles of imports, types included; each once, told from its first file. */
export function importCycles(sources: readonly Source[]): readonly Violation[] {
  const targets = new Map<string, string[]>()
  for (const { from, to } of importsOf(sources)) {
    if (!isPackage(to)) targets.set(from, [...(targets.get(from) ?? []), to])
  }
  const done = new Set<string>()
  const cycles: Violation[] = []
  function walk(file: string, path: readonly string[]): void {
    const start = path.indexOf(file)
    if (start >= 0) cycles.push([...path.slice(start), file].join(' -> '))
    if (start >= 0 || done.has(file)) return
    for (const next of targets.get(file) ?? []) walk(next, [...path, file])
    done.add(file)
  }
  for (const file of targets.keys()) walk(file, [])
  return cycles
}

const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** Names of files and folders that say nothing, or are not kebab-case. */
export function wrongNames(sources: readonly Source[]): readonly Violation[] {
  return sources.flatMap(({ path }) => {
    const words = path.replace(/(\.property)?(\.test)?\.ts$/, '').split('/')
    const empty = words.find(word => ['index', 'util', 'utils', 'helper', 'helpers'].includes(word))
    if (empty !== undefined) return [`${path}: '${empty}' says nothing: name it after the thing`]
    const wrong = words.find(word => !kebabCase.test(word))
    return wrong === undefined ? [] : [`${path}: '${wrong}' is not kebab-case`]
  })
}

/** Files of more than 400 lines: they want splitting. */
export function longFiles(sources: readonly Source[]): readonly Violation[] {
  return sources.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - 1
    const most = path.startsWith('test/') ? 600 : 400
    return lines > most ? [`${path}: has ${lines} lines; split it`] : []
  })
}

function importsOf(sources: readonly Source[]): readonly Import[] {
  return parsed(sources).flatMap(file => [
    ...file.getImportDeclarations().map(declaration => found(file, declaration, isTypeOnly(declaration))),
    ...file.getExportDeclarations().flatMap(declaration => {
      const specifier = declaration.getModuleSpecifierValue()
      return specifier === undefined ? [] : [found(file, declaration, declaration.isTypeOnly(), specifier)]
    }),
    ...file.getDescendantsOfKind(SyntaxKind.CallExpression).flatMap(call => dynamicImport(file, call)),
  ])
}

function found(
  file: SourceFile,
  node: Node,
  typeOnly: boolean,
  specifier = (node as ImportDeclaration).getModuleSpecifierValue(),
): Import {
  const from = pathOf(file)
  const to = specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier
  return { from, to, typeOnly, line: node.getStartLineNumber() }
}

function isTypeOnly(declaration: ImportDeclaration): boolean {
  if (declaration.isTypeOnly()) return true
  const names = declaration.getNamedImports()
  return names.length > 0 && declaration.getDefaultImport() === undefined && names.every(name => name.isTypeOnly())
}

function dynamicImport(file: SourceFile, call: CallExpression): readonly Import[] {
  const [argument] = call.getArguments()
  if (call.getExpression().getKind() !== SyntaxKind.ImportKeyword || !Node.isStringLiteral(argument)) return []
  return [found(file, call, false, argument.getLiteralValue())]
}

function isPackage(target: string): boolean {
  return !/\.(ts|json)$/.test(target)
}

function within(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}
