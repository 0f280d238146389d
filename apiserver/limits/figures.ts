import type { Figures } from '../figures.ts'
import type { RequestKind, RequestLimits } from './request-limits.ts'

const kinds: readonly RequestKind[] = ['readOnly', 'mutating']

/** Tells how the limits are used, under the names of a real server where it has them. */
export function tellLimits(figures: Figures, limits: RequestLimits): void {
  figures.gauge(
    'apiserver_current_inflight_requests',
    'Requests under way, of those that are limited.',
    () => kinds.map(kind => [{ request_kind: kind }, limits.queues[kind].used]),
    ['request_kind'],
  )
  figures.gauge(
    'apiserver_current_inqueue_requests',
    'Requests that wait for their turn.',
    () => kinds.map(kind => [{ request_kind: kind }, limits.queues[kind].waiting]),
    ['request_kind'],
  )
  figures.counter(
    'apiserver_flowcontrol_rejected_requests_total',
    'Requests that were answered with 429.',
    () =>
      kinds.flatMap(kind => {
        const { queueFull, timeOut } = limits.queues[kind].refused
        return [
          [{ request_kind: kind, reason: 'queue-full' }, queueFull],
          [{ request_kind: kind, reason: 'time-out' }, timeOut],
        ] as const
      }),
    ['request_kind', 'reason'],
  )
  figures.gauge('apiserver_registered_watchers', 'Watches that run.', () => [[{}, limits.watches]])
  figures.counter('skystead_watches_rejected_total', 'Watches that were answered with 429.', () => [
    [{}, limits.refusedWatches],
  ])
  figures.counter(
    'authentication_attempts',
    'Requests by whether their user was known.',
    () => Object.entries(limits.authentications).map(([result, count]) => [{ result }, count]),
    ['result'],
  )
}
