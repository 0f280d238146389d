/** Who may take real time and real chance: one file. Everything else gets them through `Environment`. */
import { type Identifier, Node, SyntaxKind } from 'ts-morph'
import { parsed, pathOf, type Source, type Violation } from './sources.ts'

/** Folders that the law holds in. Tests, tools and benchmarks may measure real time. */
const product = ['apiserver', 'cli', 'controllers', 'crds', 'drivers', 'reconcilers']

const realEnvironment = 'cli/environment.ts'

/** Names that are real time or chance wherever they stand. setImmediate and queueMicrotask only yield: no time passes. */
const forbiddenNames = new Set([
  'setTimeout',
  'setInterval',
  'performance',
  'hrtime',
  'randomUUID',
  'randomBytes',
  'randomInt',
  'randomFillSync',
  'getRandomValues',
])

const forbiddenModules = new Set(['node:timers', 'node:timers/promises', 'node:perf_hooks'])

const words = [...forbiddenNames, ...forbiddenModules, 'Date', 'Math', 'AbortSignal']

/** Uses of real time and chance outside of the one file that may. */
export function realTimeAndChance(sources: readonly Source[]): readonly Violation[] {
  return parsed(sources.filter(isSuspect)).flatMap(file => {
    const path = pathOf(file)
    const modules = file
      .getImportDeclarations()
      .filter(declaration => forbiddenModules.has(declaration.getModuleSpecifierValue()))
      .map(declaration => `${path}:${declaration.getStartLineNumber()}: ${declaration.getModuleSpecifierValue()}`)
    const names = file.getDescendantsOfKind(SyntaxKind.Identifier).flatMap(identifier => {
      const use = realUse(identifier)
      return use === undefined ? [] : [`${path}:${identifier.getStartLineNumber()}: ${use}`]
    })
    return [...modules, ...names]
  })
}

/** Parsing is slow, so only files that hold one of the words are parsed. */
function isSuspect({ path, text }: Source): boolean {
  if (!product.includes(path.split('/')[0] ?? '') || path === realEnvironment) return false
  return words.some(word => text.includes(word))
}

/** What an identifier takes from the process; undefined where nothing. */
function realUse(identifier: Identifier): string | undefined {
  const name = identifier.getText()
  if (forbiddenNames.has(name)) return name
  if (name === 'Date') return useOfDate(identifier)
  const property = propertyOf(identifier)
  if (name === 'Math' && (property === undefined || property === 'random')) return 'Math.random'
  if (name === 'AbortSignal' && property === 'timeout') return 'AbortSignal.timeout'
  return undefined
}

/** `new Date(x)`, `Date.parse` and `Date.UTC` compute; any other use reads the clock, or hands the means on. */
function useOfDate(identifier: Identifier): string | undefined {
  const parent = identifier.getParent()
  if (Node.isTypeReference(parent)) return undefined
  const property = propertyOf(identifier)
  if (property === 'parse' || property === 'UTC') return undefined
  if (property !== undefined) return `Date.${property}`
  if (Node.isNewExpression(parent)) return parent.getArguments().length > 0 ? undefined : 'new Date()'
  if (Node.isBinaryExpression(parent) && parent.getOperatorToken().getText() === 'instanceof') return undefined
  return 'Date'
}

function propertyOf(identifier: Identifier): string | undefined {
  const parent = identifier.getParent()
  if (!Node.isPropertyAccessExpression(parent) || parent.getExpression() !== identifier) return undefined
  return parent.getName()
}
