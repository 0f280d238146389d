/** Kinds of Kubernetes that have no more to them than their name. Leases and Events have files of their own. */
import type { CommonStatus, Resource } from '../../crds/meta.ts'
import type { BuiltInKind } from './paths.ts'

/** Namespaces. */
export const Namespace: BuiltInKind<Resource> = {
  apiVersion: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
}

/** ConfigMaps. */
export const ConfigMap: BuiltInKind<Resource & { readonly data?: Readonly<Record<string, string>> }> = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
}

/** Secrets. Values are base64. */
export const Secret: BuiltInKind<Resource & { readonly data?: Readonly<Record<string, string>> }> = {
  apiVersion: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
}

/** Definitions of custom resources. */
export const CustomResourceDefinition: BuiltInKind<Resource<unknown, CommonStatus>> = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}
