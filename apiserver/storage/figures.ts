import type { Figures } from '../figures.ts'
import type { Store } from './store.ts'

/** Tells what the objects take, under the names of a real server where it has them. */
export function tellStorage(figures: Figures, store: Store): void {
  figures.gauge('apiserver_storage_size_bytes', 'Bytes that the objects and their history take on the disk.', () => [
    [{}, store.usage.usedBytes],
  ])
  figures.gauge(
    'apiserver_storage_objects',
    'Stored objects by resource.',
    () => [...store.usage.objects].map(([resource, count]) => [{ resource }, count] as const),
    ['resource'],
  )
  figures.gauge('skystead_storage_limit_bytes', 'Bytes above which nothing is created and nothing grows.', () => [
    [{}, store.usage.sizeLimit],
  ])
  figures.gauge('skystead_storage_replaced_records', 'Records of the log that later ones have replaced.', () => [
    [{}, store.usage.replaced],
  ])
}
