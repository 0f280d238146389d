/** Finds which tests prove which requirements: their titles name them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Node, Project, type SourceFile, SyntaxKind } from 'ts-morph'

/** A test that names a requirement in its title. */
export interface Proof {
  readonly id: string
  /** The file, from the root of the repository. */
  readonly path: string
  /** The title without its IDs. */
  readonly title: string
}

const idPattern = /\b[A-Z]{2,3}-\d{3}\b/g
const titleProperties = new Set(['title', 'name', 'proves'])

/** The proofs in all tests below a folder of the repository. */
export function findProofs(root: string, folder = 'test'): readonly Proof[] {
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => `${folder}/${path}`)
    .sort()
  return paths.flatMap(path => proofsOf(path, readFileSync(join(root, path), 'utf8')))
}

/** The proofs in one file. */
export function proofsOf(path: string, text: string): readonly Proof[] {
  if (text.match(idPattern) === null) return []
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true })
  return titlesOf(project.createSourceFile('/test.ts', text)).flatMap(title => {
    const words = title.replaceAll(idPattern, '').replaceAll(/\s+/g, ' ').trim()
    return [...new Set(title.match(idPattern))].map(id => ({ id, path, title: words }))
  })
}

/**
 * Titles are the first argument of `test(…)`, and in tables of cases a property `title` or the first entry of a tuple.
 * What is skipped proves nothing.
 */
function titlesOf(file: SourceFile): readonly string[] {
  const kinds = [SyntaxKind.StringLiteral, SyntaxKind.NoSubstitutionTemplateLiteral, SyntaxKind.TemplateHead] as const
  return kinds
    .flatMap(kind => file.getDescendantsOfKind(kind))
    .filter(isTitle)
    .map(literal => literal.getLiteralText())
}

function isTitle(literal: Node): boolean {
  const whole = Node.isTemplateHead(literal) ? literal.getParentOrThrow() : literal
  const parent = whole.getParent()
  if (Node.isCallExpression(parent)) {
    return parent.getArguments()[0] === whole && /^test(\.serial)?$/.test(parent.getExpression().getText())
  }
  if (Node.isPropertyAssignment(parent)) {
    return parent.getInitializer() === whole && titleProperties.has(parent.getName())
  }
  return Node.isArrayLiteralExpression(parent) && parent.getElements()[0] === whole
}
