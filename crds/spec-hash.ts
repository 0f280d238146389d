/**
 * The annotation of a CustomResourceDefinition that tells its spec from any other: whoever may not change definitions sees
 * whether those of a cluster are the ones that it was made with.
 */
export const specHashAnnotation = 'skystead.dev/spec-hash'
