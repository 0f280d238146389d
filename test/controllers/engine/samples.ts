/** A tiny kind of the tests' own, and Allocations to claim. */
import { type DesiredCache, desiredTopics, type ObjectKey } from '../../../controllers/engine/desired-cache.ts'
import { defineKind } from '../../../crds/define-kind.ts'
import type { CommonStatus, Manifest, ObjectMeta, Resource } from '../../../crds/meta.ts'

/** What a widget wishes for. */
export interface WidgetSpec {
  readonly size?: number
  readonly group?: string
  readonly phase?: string
  readonly management?: { readonly mode?: string }
}

/** What is seen of a widget. */
export interface WidgetStatus extends CommonStatus {
  readonly seen?: number
}

/** A kind that exists in tests only. */
export const Widget = defineKind<WidgetSpec, WidgetStatus>({
  group: 'test.skystead.dev',
  version: 'v1alpha1',
  kind: 'Widget',
  plural: 'widgets',
  scope: 'Cluster',
  shortNames: [],
  columns: [],
  conditions: { Made: 'it is there', Checked: 'it was looked at' },
  shard: 'global',
})

/** A widget as the API shows it. */
export function widget(
  name: string,
  spec: WidgetSpec = {},
  metadata: Partial<ObjectMeta> = {},
): Resource<WidgetSpec, WidgetStatus> {
  return {
    apiVersion: Widget.apiVersion,
    kind: Widget.kind,
    metadata: {
      name,
      uid: `uid-${name}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec,
  }
}

/** A widget as one writes it. */
export function widgetManifest(name: string, spec: WidgetSpec = {}): Manifest<WidgetSpec> {
  return { apiVersion: Widget.apiVersion, kind: Widget.kind, metadata: { name }, spec }
}

/** The key of a widget. */
export function widgetKey(name: string): ObjectKey {
  return `/${name}`
}

/** The spec of a widget in a cache. */
export function specOf(cache: DesiredCache, name: string): WidgetSpec | undefined {
  return cache.get(Widget, widgetKey(name))?.spec as WidgetSpec | undefined
}

/** The topic of a widget's wish. */
export function wishTopic(name: string): string {
  return desiredTopics.wish(Widget, widgetKey(name))
}
