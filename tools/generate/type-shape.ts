/** Tells what a TypeScript type is in the API: a string, a list, an object …, and which tags its aliases carry. */
import { type InterfaceDeclaration, Node, SyntaxKind, type TypeNode, type TypeReferenceNode } from 'ts-morph'
import { type DocTag, docCommentOf, fail, placeOf } from './doc-comment.ts'

/** What a type is. */
export type TypeShape =
  | { readonly kind: 'string' | 'number' | 'boolean' }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'list'; readonly element: TypeNode }
  | { readonly kind: 'map'; readonly value: TypeNode }
  | { readonly kind: 'object'; readonly declaration: InterfaceDeclaration }

/** A type with the tags of the aliases that it goes by, the innermost first. */
export interface ResolvedType {
  readonly shape: TypeShape
  readonly tags: readonly (readonly DocTag[])[]
}

/** Resolves a type as it is written. Fails on everything that the API cannot express. */
export function resolveType(node: TypeNode): ResolvedType {
  if (Node.isParenthesizedTypeNode(node)) return resolveType(node.getTypeNode())
  if (Node.isTypeReference(node)) return resolveReference(node)
  return { shape: plainShape(node), tags: [] }
}

function plainShape(node: TypeNode): TypeShape {
  switch (node.getKind()) {
    case SyntaxKind.StringKeyword:
      return { kind: 'string' }
    case SyntaxKind.NumberKeyword:
      return { kind: 'number' }
    case SyntaxKind.BooleanKeyword:
      return { kind: 'boolean' }
  }
  if (Node.isUnionTypeNode(node)) return { kind: 'enum', values: node.getTypeNodes().map(stringLiteral) }
  if (Node.isLiteralTypeNode(node)) return { kind: 'enum', values: [stringLiteral(node)] }
  if (Node.isArrayTypeNode(node)) fail(placeOf(node), 'a list must be readonly: write `readonly T[]`')
  if (Node.isTypeOperatorTypeNode(node)) {
    const element = node.getTypeNode()
    if (Node.isArrayTypeNode(element)) return { kind: 'list', element: element.getElementTypeNode() }
  }
  fail(placeOf(node), `unknown type \`${node.getText()}\`: the API has strings, numbers, booleans, lists and objects`)
}

function stringLiteral(node: TypeNode): string {
  const literal = Node.isLiteralTypeNode(node) ? node.getLiteral() : node
  if (!Node.isStringLiteral(literal)) {
    fail(placeOf(node), `\`${node.getText()}\` may not stand in a union: only string literals may`)
  }
  const value = literal.getLiteralValue()
  if (!/^[A-Z][A-Za-z0-9]*$/.test(value)) fail(placeOf(node), `'${value}' must be PascalCase`)
  return value
}

function resolveReference(node: TypeReferenceNode): ResolvedType {
  const name = node.getTypeName().getText()
  if (name === 'Readonly') return { shape: mapShape(node), tags: [] }
  if (name === 'Record') fail(placeOf(node), 'a map must be readonly: write `Readonly<Record<string, T>>`')
  const declaration = declarationOf(node)
  if (Node.isInterfaceDeclaration(declaration)) return { shape: { kind: 'object', declaration }, tags: [] }
  const target = declaration.getTypeNodeOrThrow()
  const inner = resolveType(target)
  return { shape: inner.shape, tags: [...inner.tags, docCommentOf(declaration)?.tags ?? []] }
}

function mapShape(node: TypeReferenceNode): TypeShape {
  const record = node.getTypeArguments()[0]
  if (!Node.isTypeReference(record) || record.getTypeName().getText() !== 'Record') {
    fail(placeOf(node), `unknown type \`${node.getText()}\`: Readonly may only hold a Record`)
  }
  const [key, value] = record.getTypeArguments()
  if (key === undefined || value === undefined || key.getKind() !== SyntaxKind.StringKeyword) {
    fail(placeOf(node), 'the keys of a map must be `string`')
  }
  return { kind: 'map', value }
}

/** The interface or alias that a name in a type stands for. */
export function declarationOf(node: TypeReferenceNode) {
  const name = node.getTypeName()
  if (node.getTypeArguments().length > 0)
    fail(placeOf(node), `\`${node.getText()}\` is generic: the API has no generics`)
  const symbol = name.getSymbol()
  const declaration = (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations()[0]
  if (Node.isInterfaceDeclaration(declaration) || Node.isTypeAliasDeclaration(declaration)) return declaration
  fail(placeOf(node), `unknown type \`${name.getText()}\`: no interface or alias of that name is in sight`)
}
