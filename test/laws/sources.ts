/** The sources that the laws are about. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Project, type SourceFile } from 'ts-morph'

/** A file's text, by its path from the root of the repository. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** What a law is broken by: `path:line: why`. */
export type Violation = string

const root = new URL('../../', import.meta.url).pathname
const folders = ['apiserver', 'bench', 'cli', 'controllers', 'crds', 'drivers', 'reconcilers', 'test', 'tools']

/** Every TypeScript source of the repository. */
export function repositorySources(): readonly Source[] {
  return folders.flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith('.ts'))
      .map(path => ({ path: `${folder}/${path}`, text: readFileSync(join(root, folder, path), 'utf8') })),
  )
}

/** The sources as syntax trees, without types. */
export function parsed(sources: readonly Source[]): readonly SourceFile[] {
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true })
  return sources.map(({ path, text }) => project.createSourceFile(`/${path}`, text))
}

/** The path of a source from the root of the repository. */
export function pathOf(file: SourceFile): string {
  return file.getFilePath().slice(1)
}
