/** Finds, for each kind's value, the types and the doc comment in its source. */
import { type InterfaceDeclaration, Node, type Project, type SourceFile, type VariableDeclaration } from 'ts-morph'
import type { KindDefinition } from '../../crds/define-kind.ts'
import { parseRule, type Rule, type Schema } from './constraints.ts'
import { docCommentOf, fail, placeOf } from './doc-comment.ts'
import { namedComment, schemaOfInterface } from './schema.ts'
import { declarationOf } from './type-shape.ts'

/** A kind with what its source says of it. */
export interface KindSource {
  readonly definition: KindDefinition
  /** The source file. */
  readonly file: SourceFile
  /** Where the value is declared. */
  readonly declaration: VariableDeclaration
  /** The schema of whole objects. */
  readonly schema: Schema
}

/** Joins each kind's value with its source. Fails where a kind has no source, or a source no place in the table. */
export function kindSources(project: Project, kinds: readonly KindDefinition[]): readonly KindSource[] {
  const declarations = new Map<string, VariableDeclaration>()
  for (const file of project.getSourceFiles()) {
    for (const declaration of file.getVariableDeclarations()) {
      if (isKind(declaration)) declarations.set(declaration.getName(), declaration)
    }
  }
  const sources = kinds.map(definition => {
    const declaration = declarations.get(definition.kind)
    if (declaration === undefined) {
      throw new Error(
        `Cannot generate ${definition.kind}: no \`export const ${definition.kind} = defineKind\` is in sight`,
      )
    }
    declarations.delete(definition.kind)
    return { definition, declaration, file: declaration.getSourceFile(), schema: kindSchema(definition, declaration) }
  })
  for (const [name, declaration] of declarations) fail(placeOf(declaration), `\`${name}\` is missing in crds/kinds.ts`)
  return sources
}

function isKind(declaration: VariableDeclaration): boolean {
  const call = declaration.getInitializer()
  return Node.isCallExpression(call) && call.getExpression().getText() === 'defineKind'
}

function kindSchema(definition: KindDefinition, declaration: VariableDeclaration): Schema {
  const { description, rules } = kindComment(declaration)
  const [spec, status] = typeArguments(declaration)
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: 'apiVersion is the version of the schema of this object.' },
      kind: { type: 'string', description: 'kind is the kind of this object.' },
      metadata: { type: 'object' },
      spec: partSchema('spec', `${definition.kind}Spec`, spec),
      status: withConditions(partSchema('status', `${definition.kind}Status`, status), definition),
    },
    ...(rules.length > 0 ? { 'x-kubernetes-validations': rules } : {}),
  }
}

function kindComment(declaration: VariableDeclaration): {
  readonly description: string
  readonly rules: readonly Rule[]
} {
  const statement = declaration.getVariableStatementOrThrow()
  const name = declaration.getName()
  const comment = docCommentOf(statement)
  if (comment === undefined) fail(placeOf(statement), `\`${name}\` must have a description`)
  const rules = comment.tags.flatMap(tag => {
    if (tag.name === 'see') return []
    if (tag.name !== 'cel') fail(tag.place, `@${tag.name} does not fit a kind`)
    return [parseRule(tag)]
  })
  return { description: comment.description, rules }
}

function typeArguments(declaration: VariableDeclaration): readonly [InterfaceDeclaration, InterfaceDeclaration] {
  const call = declaration.getInitializer()
  const [spec, status] = Node.isCallExpression(call)
    ? call.getTypeArguments().map(node => {
        const target = Node.isTypeReference(node) ? declarationOf(node) : undefined
        if (!Node.isInterfaceDeclaration(target)) fail(placeOf(node), `\`${node.getText()}\` must be an interface`)
        return target
      })
    : []
  if (spec === undefined || status === undefined)
    fail(placeOf(declaration), 'defineKind needs its types: `defineKind<Spec, Status>`')
  return [spec, status]
}

function partSchema(part: string, name: string, declaration: InterfaceDeclaration): Schema {
  if (declaration.getName() !== name)
    fail(placeOf(declaration), `\`${declaration.getName()}\` must be called \`${name}\``)
  const comment = namedComment(declaration, name)
  if (!comment.description.startsWith(`${name} `)) {
    fail(placeOf(declaration), `the description of \`${name}\` must begin with its name`)
  }
  return { ...schemaOfInterface(declaration), description: part + comment.description.slice(name.length) }
}

/** Of no generation that there is: until the controllers have judged an object, kstatus then says that it is in progress. */
const notYetJudged = { observedGeneration: -1 }

/** The status' schema, with the kind's own conditions named in the description of `conditions`. */
function withConditions(status: Schema, definition: KindDefinition): Schema {
  const conditions = status.properties?.conditions
  if (conditions === undefined) throw new Error(`Cannot generate ${definition.kind}: its status has no conditions`)
  const lines = Object.entries(definition.conditions).map(([type, meaning]) => `'${type}': ${meaning}`)
  const description = [conditions.description, ...lines].join(' ')
  const properties = { ...status.properties, conditions: { ...conditions, description } }
  const isSubresource = definition.statusSubresource !== false
  return { ...status, ...(isSubresource && { default: notYetJudged }), properties }
}
