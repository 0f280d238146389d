/** The OpenAPI v3 schema of a kind as a CustomResourceDefinition carries it. */

/** Any value that JSON can hold. */
export type JSONValue = string | number | boolean | null | readonly JSONValue[] | { readonly [key: string]: JSONValue }

/** A CEL rule of `x-kubernetes-validations`. */
export interface ValidationRule {
  /** CEL that must yield true; `self` is the value at the node, `oldSelf` the value before an update. */
  readonly rule: string
  readonly message?: string
  /** CEL that yields the message; where it fails, `message` (or a default) is used. */
  readonly messageExpression?: string
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate'
  /** Relative path of the field to report (`.spec.x`, `['a']`). Default: the node itself. */
  readonly fieldPath?: string
  /** Whether a transition rule also runs without an old value; `oldSelf` is then an optional. Default false. */
  readonly optionalOldSelf?: boolean
}

/** One node of an OpenAPI v3 schema, with the extensions that Kubernetes knows. */
export interface StructuralSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly title?: string
  readonly description?: string
  readonly default?: JSONValue
  readonly example?: JSONValue
  readonly nullable?: boolean
  readonly format?: string
  readonly enum?: readonly JSONValue[]
  readonly properties?: { readonly [name: string]: StructuralSchema }
  readonly additionalProperties?: StructuralSchema | boolean
  readonly required?: readonly string[]
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly items?: StructuralSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minLength?: number
  readonly maxLength?: number
  /** A regular expression in RE2 syntax. */
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly allOf?: readonly StructuralSchema[]
  readonly anyOf?: readonly StructuralSchema[]
  readonly oneOf?: readonly StructuralSchema[]
  readonly not?: StructuralSchema
  readonly externalDocs?: JSONValue
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular'
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[]
}
