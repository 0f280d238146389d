/** CEL as Kubernetes 1.36 offers it to validation rules. */

import { Environment } from '@marcbachmann/cel-js'
import { addCharacters } from './characters.ts'
import { addComprehensions } from './comprehensions.ts'
import { addListExtensions } from './list-extensions.ts'
import { addLists } from './lists.ts'
import { addMacros } from './macros.ts'
import { addNamedFormats } from './named-formats.ts'
import { addNetwork } from './network.ts'
import { addQuantities } from './quantities.ts'
import { addRegularExpressions } from './regular-expressions.ts'
import { addSemanticVersions } from './semantic-versions.ts'
import { addTexts } from './texts.ts'

function createEnvironment(): Environment {
  // Mixed lists are refused by Kubernetes except where a text is formatted from one; here they are allowed.
  const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  addMacros(environment)
  addComprehensions(environment)
  addRegularExpressions(environment)
  addCharacters(environment)
  addTexts(environment)
  addLists(environment)
  addListExtensions(environment)
  addNetwork(environment)
  addQuantities(environment)
  addSemanticVersions(environment)
  addNamedFormats(environment)
  return environment
}

/** All functions, no variables. Cloned by every schema that has rules. */
export const ruleEnvironment: Environment = createEnvironment()
