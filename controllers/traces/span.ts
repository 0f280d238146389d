/** A span of OpenTelemetry: one pass over one object, or one operation that a pass has asked for. */
export interface Span {
  /** 32 hex digits: a pass and its operations have the same. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  readonly parentSpanId?: string
  /** `reconcile VirtualMachine`, `StartMachine`. */
  readonly name: string
  /** Nanoseconds since the Unix epoch. */
  readonly startedAt: bigint
  readonly endedAt: bigint
  /** Never arguments of operations. */
  readonly attributes: Readonly<Record<string, string | number>>
  /** Why it failed; left out where it did not. */
  readonly error?: string
}
