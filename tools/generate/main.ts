/** `npm run generate`: writes what follows from the types of the API. `--check` writes nothing and fails on a difference. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { kinds } from '../../crds/kinds.ts'
import { GenerationError } from './doc-comment.ts'
import { generate, generatedFolders } from './generate.ts'

const root = resolve(import.meta.dirname, '../..')

function existing(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return undefined
  }
}

function leftovers(files: ReadonlyMap<string, string>): readonly string[] {
  return generatedFolders.flatMap(folder => {
    mkdirSync(join(root, folder), { recursive: true })
    return readdirSync(join(root, folder))
      .map(name => `${folder}/${name}`)
      .filter(path => !files.has(path))
  })
}

function run(check: boolean): number {
  const files = generate(root, kinds)
  const changed = [...files].filter(([path, text]) => existing(path) !== text)
  const removed = leftovers(files)
  if (check) {
    for (const path of [...changed.map(([path]) => path), ...removed]) console.error(`${path} is not up to date`)
    return changed.length + removed.length > 0 ? 1 : 0
  }
  for (const [path, text] of changed) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const path of removed) rmSync(join(root, path))
  console.log(`${files.size} files generated, ${changed.length} changed, ${removed.length} removed`)
  return 0
}

try {
  process.exitCode = run(process.argv.includes('--check'))
} catch (error) {
  if (!(error instanceof GenerationError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
