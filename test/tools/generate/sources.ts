import { type InterfaceDeclaration, Project } from 'ts-morph'

/** A project of one file in memory, `/kind.ts`, with that text. */
export function projectOf(text: string): Project {
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true })
  project.createSourceFile('/kind.ts', text)
  return project
}

/** The interface `Spec` of that text. */
export function specOf(text: string): InterfaceDeclaration {
  return projectOf(text).getSourceFileOrThrow('/kind.ts').getInterfaceOrThrow('Spec')
}
