/** Makes structural schemas from interfaces. Fails, with file and line, on whatever it does not know. */
import { type InterfaceDeclaration, Node, type PropertySignature, type TypeNode } from 'ts-morph'
import {
  type Constraints,
  constraintsOf,
  fieldsOf,
  isTransition,
  parseRule,
  type Rule,
  type Schema,
} from './constraints.ts'
import { misfit } from './default-value.ts'
import { type DocComment, docCommentOf, fail, type Place, placeOf } from './doc-comment.ts'
import { type ResolvedType, resolveType } from './type-shape.ts'

/** Where a schema is made: within which interfaces, and whether old and new values can be matched there. */
interface Surroundings {
  readonly open: readonly InterfaceDeclaration[]
  /** False inside lists whose items cannot be told apart: rules may not use `oldSelf` there. */
  readonly correlatable: boolean
}

interface Property {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
  /** Rules that the surrounding object must keep for this property. */
  readonly parentRules: readonly Rule[]
}

/** The schema of an interface. `description` is the interface's own, without its name. */
export function schemaOfInterface(declaration: InterfaceDeclaration): Schema {
  return objectSchema(declaration, { open: [], correlatable: true })
}

/** The doc comment of an interface or a kind; fails where it is missing or begins otherwise than with the name. */
export function namedComment(node: Parameters<typeof docCommentOf>[0], name: string): DocComment {
  const comment = docCommentOf(node)
  if (comment === undefined || comment.description === '') fail(placeOf(node), `\`${name}\` must have a description`)
  return comment
}

function objectSchema(declaration: InterfaceDeclaration, surroundings: Surroundings): Schema {
  const name = declaration.getName()
  if (surroundings.open.includes(declaration))
    fail(placeOf(declaration), `\`${name}\` holds itself: schemas are finite`)
  if (declaration.getTypeParameters().length > 0)
    fail(placeOf(declaration), `\`${name}\` is generic: the API has no generics`)
  const inner = { ...surroundings, open: [...surroundings.open, declaration] }
  const properties = new Map<string, Property>()
  const rules: PlacedRule[] = []
  for (const part of withBases(declaration)) {
    rules.push(...rulesOf(part, surroundings))
    for (const member of part.getMembers()) {
      const property = propertyOf(member, inner)
      if (properties.has(property.name)) fail(placeOf(member), `\`${property.name}\` is declared twice`)
      properties.set(property.name, property)
    }
  }
  for (const { rule, place } of rules) {
    const unknown = fieldsOf(rule).find(field => !properties.has(field))
    if (unknown !== undefined) fail(place, `@cel reads \`${unknown}\`, which \`${name}\` does not have`)
  }
  const sorted = [...properties.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  const required = sorted.filter(property => property.required).map(property => property.name)
  const all = [...rules.map(({ rule }) => rule), ...sorted.flatMap(property => property.parentRules)]
  return {
    type: 'object',
    properties: Object.fromEntries(sorted.map(property => [property.name, property.schema])),
    ...(required.length > 0 ? { required } : {}),
    ...validations(all),
  }
}

/** An interface after the ones that it extends. */
function withBases(declaration: InterfaceDeclaration): readonly InterfaceDeclaration[] {
  const bases = declaration.getExtends().flatMap(clause => {
    const symbol = clause.getExpression().getSymbol()
    const base = (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations()[0]
    if (!Node.isInterfaceDeclaration(base)) fail(placeOf(clause), `\`${clause.getText()}\` is no interface in sight`)
    return withBases(base)
  })
  return [...bases, declaration]
}

/** A rule, and where it is written. */
interface PlacedRule {
  readonly rule: Rule
  readonly place: Place
}

function rulesOf(declaration: InterfaceDeclaration, surroundings: Surroundings): readonly PlacedRule[] {
  const tags = docCommentOf(declaration)?.tags ?? []
  return tags.flatMap(tag => {
    if (tag.name === 'see') return []
    if (tag.name !== 'cel') fail(tag.place, `@${tag.name} does not fit an interface`)
    return [{ rule: checkedRule(parseRule(tag), tag.place, surroundings), place: tag.place }]
  })
}

function propertyOf(member: Node, surroundings: Surroundings): Property {
  if (!Node.isPropertySignature(member)) fail(placeOf(member), `\`${member.getText()}\` is no property`)
  const name = member.getName()
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) fail(placeOf(member), `\`${name}\` must be camelCase`)
  if (!member.isReadonly()) fail(placeOf(member), `\`${name}\` must be readonly`)
  const node = member.getTypeNode()
  if (node === undefined) fail(placeOf(member), `\`${name}\` must have a type`)
  const comment = namedComment(member, name)
  if (!comment.description.startsWith(`${name} `)) {
    fail(placeOf(member), `the description of \`${name}\` must begin with its name: it is what kubectl explain prints`)
  }
  const resolved = resolveType(node)
  const constraints = constraintsOf(resolved.shape, [...resolved.tags, comment.tags])
  const schema = schemaOf(resolved, constraints, placeOf(member), surroundings)
  checkDefault(member, schema, constraints)
  return {
    name,
    schema: { ...schema, description: comment.description, ...immutability(schema, constraints, surroundings) },
    required: !member.hasQuestionToken() && !constraints.defaulted,
    parentRules: presenceRules(member, constraints, surroundings),
  }
}

function checkDefault(member: PropertySignature, schema: Schema, constraints: Constraints): void {
  if (!constraints.defaulted) return
  const name = member.getName()
  if (member.hasQuestionToken())
    fail(placeOf(member), `\`${name}\` has a default, so it is always there: remove the question mark`)
  const reason = misfit(schema.default, schema)
  if (reason !== undefined) fail(placeOf(member), `the default of \`${name}\` does not fit: ${reason}`)
}

/** What a change of an immutable field is told. */
export const immutableMessage = 'cannot be changed once it is set: make a new object instead'

function immutability(schema: Schema, constraints: Constraints, surroundings: Surroundings): Schema {
  if (constraints.immutable === undefined) return {}
  const rule = checkedRule({ rule: 'self == oldSelf', message: immutableMessage }, constraints.immutable, surroundings)
  return validations([...(schema['x-kubernetes-validations'] ?? []), rule])
}

/** `self == oldSelf` does not run where one side is missing, so the parent says that an unset field stays unset. */
function presenceRules(
  member: PropertySignature,
  constraints: Constraints,
  surroundings: Surroundings,
): readonly Rule[] {
  if (constraints.immutable === undefined || !member.hasQuestionToken()) return []
  const name = member.getName()
  const rule: Rule = {
    rule: `has(self.${name}) == has(oldSelf.${name})`,
    message: `\`${name}\` can neither be set nor removed once the object exists`,
  }
  return [checkedRule(rule, constraints.immutable, surroundings)]
}

function schemaOf(resolved: ResolvedType, constraints: Constraints, place: Place, surroundings: Surroundings): Schema {
  const rules = constraints.rules.map(rule => checkedRule(rule, place, surroundings))
  const common: Schema = { ...constraints.schema, ...validations(rules) }
  const { shape } = resolved
  switch (shape.kind) {
    case 'boolean':
      return { ...common, type: 'boolean' }
    case 'enum':
      return { ...common, type: 'string', enum: [...shape.values].sort() }
    case 'string':
      if (common.maxLength === undefined) fail(place, 'a string must have @maxLength')
      return { ...common, type: 'string' }
    case 'number':
      return numberSchema(common, place)
    case 'list':
      return listSchema(shape.element, common, constraints, place, surroundings)
    case 'map':
      if (common.maxProperties === undefined) fail(place, 'a map must have @maxProperties')
      return { ...common, type: 'object', additionalProperties: elementSchema(shape.value, surroundings) }
    case 'object': {
      const object = objectSchema(shape.declaration, surroundings)
      return { ...object, ...common, ...validations([...(object['x-kubernetes-validations'] ?? []), ...rules]) }
    }
  }
}

function numberSchema(common: Schema, place: Place): Schema {
  if (common.type !== 'integer') fail(place, 'a number must be an @integer; write fractions as decimal strings')
  const { minimum, maximum } = common
  if (minimum === undefined || maximum === undefined) fail(place, 'a number must have @minimum and @maximum')
  if (minimum > maximum) fail(place, '@minimum may not be greater than @maximum')
  const small = minimum >= -(2 ** 31) && maximum < 2 ** 31
  return { ...common, format: small ? 'int32' : 'int64' }
}

function listSchema(
  element: TypeNode,
  common: Schema,
  constraints: Constraints,
  place: Place,
  surroundings: Surroundings,
): Schema {
  const listType = common['x-kubernetes-list-type']
  if (listType === undefined) fail(place, 'a list must have @listType')
  if (common.maxItems === undefined) fail(place, 'a list must have @maxItems')
  const correlatable = surroundings.correlatable && listType === 'map'
  const items = elementSchema(element, { ...surroundings, correlatable })
  const keys = constraints.listMapKeys.map(tag => tag.text)
  if (listType === 'map') checkKeys(keys, items, place)
  if (listType !== 'map' && keys.length > 0) fail(place, "@listMapKey needs @listType 'map'")
  if (listType === 'set' && (items.type === 'object' || items.type === 'array')) {
    fail(place, "@listType 'set' needs items that are strings, numbers or booleans")
  }
  return { ...common, type: 'array', items, ...(keys.length > 0 ? { 'x-kubernetes-list-map-keys': keys } : {}) }
}

function checkKeys(keys: readonly string[], items: Schema, place: Place): void {
  if (keys.length === 0) fail(place, "@listType 'map' needs @listMapKey")
  for (const key of keys) {
    const property = items.properties?.[key]
    if (property === undefined) fail(place, `@listMapKey '${key}' is no property of the items`)
    if (property.type === 'object' || property.type === 'array') fail(place, `@listMapKey '${key}' must be a scalar`)
    if (!items.required?.includes(key)) fail(place, `@listMapKey '${key}' must be required`)
  }
}

function elementSchema(node: TypeNode, surroundings: Surroundings): Schema {
  const resolved = resolveType(node)
  const constraints = constraintsOf(resolved.shape, resolved.tags)
  if (constraints.defaulted) fail(placeOf(node), 'the items of a list or map may not have a default')
  return schemaOf(resolved, constraints, placeOf(node), surroundings)
}

function checkedRule(rule: Rule, place: Place, surroundings: Surroundings): Rule {
  if (isTransition(rule) && !surroundings.correlatable) {
    fail(place, "a rule may not use `oldSelf` inside a list that is no @listType 'map': its items cannot be matched")
  }
  return rule
}

function validations(rules: readonly Rule[]): Schema {
  return rules.length > 0 ? { 'x-kubernetes-validations': rules } : {}
}
