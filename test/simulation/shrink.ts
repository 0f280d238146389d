/** Makes a failing scenario smaller while it still breaks the same invariant. */
import type { Outcome } from './run.ts'
import type { Scenario, Step } from './scenario.ts'

/** How a scenario is made smaller. */
export interface ShrinkOptions {
  readonly run: (scenario: Scenario) => Promise<Outcome>
  /** How many runs it may take. Default 300. */
  readonly most?: number
}

/** The smallest scenario found that breaks the invariant as the given one does, and what it came to. */
export async function shrink(
  scenario: Scenario,
  outcome: Outcome,
  { run, most = 300 }: ShrinkOptions,
): Promise<{ readonly scenario: Scenario; readonly outcome: Outcome }> {
  const { failure } = outcome
  if (failure === undefined) return { scenario, outcome }
  let best = { scenario, outcome }
  const signature = signatureOf(outcome)
  let runs = 0

  async function accepts(steps: readonly Step[], change: Partial<Scenario> = {}): Promise<boolean> {
    if (runs >= most) return false
    runs++
    const smaller = { ...best.scenario, ...change, steps }
    const next = await run(smaller)
    if (signatureOf(next) !== signature) return false
    best = { scenario: smaller, outcome: next }
    return true
  }

  // What came after the failure had no part in it; a failure of the closing phase had nothing after it.
  const end = failure.atMinute * 60_000
  if (end < scenario.minutes * 60_000)
    await accepts(
      scenario.steps.filter(({ at }) => at <= end),
      { minutes: failure.atMinute + 1 },
    )
  if (best.scenario.replicas > 1) await accepts(best.scenario.steps, { replicas: 1 })
  for (
    let size = Math.ceil(best.scenario.steps.length / 2);
    size >= 1 && runs < most;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    // From the end: what comes late leans on what came before.
    for (let start = best.scenario.steps.length - size; start > -size; start -= size) {
      const { steps } = best.scenario
      await accepts([...steps.slice(0, Math.max(0, start)), ...steps.slice(Math.max(0, start + size))])
    }
  }
  const last = best.scenario.steps.at(-1)?.at ?? 0
  await accepts(best.scenario.steps, { minutes: last / 60_000 + 1 })
  return best
}

/** What makes two failures the same one: the invariant, and of what is not ready kind and reason. */
function signatureOf({ failure }: Outcome): string | undefined {
  if (failure === undefined) return undefined
  const { kind, reason } =
    /(?<kind>\w+) [^\s:]*(?: \(deleting\))?: \w+ (?<reason>\w+)/.exec(failure.message)?.groups ?? {}
  return `${failure.invariant} ${kind ?? ''} ${reason ?? ''}`
}
