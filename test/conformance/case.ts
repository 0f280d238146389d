/** What a conformance case is: a small program against any Kubernetes API, that throws where the API does otherwise. */
import { deepEqual } from 'node:assert/strict'
import type { Api } from './api.ts'

/** What a case works with. */
export interface Bench {
  readonly api: Api
  /** A namespace of its own, made when first asked for. */
  namespace(): Promise<string>
  /** A name that nobody else uses. */
  name(prefix?: string): string
  /** The path of a kind's objects after its definition was installed, in the case's namespace where the kind has any. */
  install(definition: Definition): Promise<string>
  /** Asks again and again until something comes back; rejects, saying what was waited for, after 90 s. */
  until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T>
}

/** A CustomResourceDefinition. */
export interface Definition {
  readonly apiVersion: 'apiextensions.k8s.io/v1'
  readonly kind: 'CustomResourceDefinition'
  readonly metadata: { readonly name: string; readonly [member: string]: unknown }
  readonly spec: {
    readonly group: string
    readonly scope: 'Namespaced' | 'Cluster'
    readonly names: { readonly plural: string; readonly kind: string; readonly [member: string]: unknown }
    readonly versions: readonly { readonly name: string; readonly [member: string]: unknown }[]
    readonly [member: string]: unknown
  }
}

/** One thing that an API has to do. */
export interface Case {
  /** What it does, as a sentence without its end. */
  readonly title: string
  readonly run: (bench: Bench) => Promise<void>
}

/** Cases about one part of the API. */
export interface Area {
  readonly name: string
  readonly cases: readonly Case[]
}

/** Makes an area of titles and what is to hold. */
export function area(name: string, cases: Readonly<Record<string, Case['run']>>): Area {
  return { name, cases: Object.entries(cases).map(([title, run]) => ({ title, run })) }
}

/** What a Status says of a failure. */
export interface Failure {
  readonly message: string
  readonly reason?: string
  readonly details?: object
  readonly code: number
}

/** The whole Status with which a request is refused. */
export function failure(failure: Failure): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...failure }
}

/** Fails where a value lacks something of a pattern: members that the pattern does not name may be anything. */
export function like(actual: unknown, pattern: unknown): void {
  deepEqual(alike(actual, pattern), pattern)
}

/** The part of a value that a pattern speaks of. Lists are compared as a whole, element by element. */
function alike(actual: unknown, pattern: unknown): unknown {
  if (Array.isArray(pattern) && Array.isArray(actual)) return actual.map((each, index) => alike(each, pattern[index]))
  if (!isRecord(pattern) || !isRecord(actual)) return actual
  return Object.fromEntries(Object.keys(pattern).map(key => [key, alike(actual[key], pattern[key])]))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
