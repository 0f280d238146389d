/** Every reason that a reconciler, or the engine for all kinds, gives for a wish that is not met. */
import { Node, type Project, SyntaxKind } from 'ts-morph'

const verdicts = new Set(['blocked', 'waiting', 'unknown'])

/** The reasons in these sources: first arguments of `blocked`, `waiting` and `unknown`, and those of refused placements. */
export function reasonsIn(project: Project): ReadonlySet<string> {
  const found = project.getSourceFiles().flatMap(file =>
    file.getDescendantsOfKind(SyntaxKind.CallExpression).flatMap(call => {
      const name = call.getExpression().getText()
      const [first] = call.getArguments()
      return verdicts.has(name) || (name === 'refused' && file.getFilePath().includes('/placement/'))
        ? textsOf(first)
        : []
    }),
  )
  return new Set(found)
}

function textsOf(node: Node | undefined): readonly string[] {
  if (Node.isStringLiteral(node)) return [node.getLiteralValue()]
  if (!Node.isConditionalExpression(node)) return []
  return [...textsOf(node.getWhenTrue()), ...textsOf(node.getWhenFalse())]
}
