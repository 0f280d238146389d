import type { Environment } from '../../crds/environment.ts'
import type { Engine } from '../engine/engine.ts'
import type { Recorder } from '../records/recorder.ts'

/** What the answers are made from: the caches of running engines. Nothing is changed through them. */
export interface QuerySources {
  /** Those that run in this process now. */
  readonly engines: () => readonly Engine[]
  readonly environment: Environment
  /** The installation's id. */
  readonly installation: string
  /** What was done. */
  readonly recorder: Pick<Recorder, 'query'>
}

/** One question that the controllers answer. */
export interface QueryRoute {
  /** With a leading slash. Whoever asks needs the verb `get` on the non-resource URL `/skystead<path>`. */
  readonly path: string
  /**
   * The answer, as JSON data without any secret. What it tells of the present it reads at once, so that it sees one
   * instant; only for the past it may wait. A `QueryError` says that it was asked wrongly.
   */
  readonly answer: (query: URLSearchParams, sources: QuerySources) => unknown
}

/** A question that has no answer; the message says what to ask instead. */
export class QueryError extends Error {
  readonly status: 400 | 404

  constructor(status: 400 | 404, message: string) {
    super(message)
    this.name = 'QueryError'
    this.status = status
  }
}
