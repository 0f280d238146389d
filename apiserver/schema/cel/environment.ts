/** CEL as Kubernetes 1.32 offers it to validation rules. */

import { Environment } from '@marcbachmann/cel-js'
import { addLists } from './lists.ts'
import { addMacros } from './macros.ts'
import { addNamedFormats } from './named-formats.ts'
import { addNetwork } from './network.ts'
import { addQuantities } from './quantities.ts'
import { addRegularExpressions } from './regular-expressions.ts'
import { addTexts } from './texts.ts'

function createEnvironment(): Environment {
  // Mixed lists are refused by Kubernetes except where a text is formatted from one; here they are allowed.
  const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  addMacros(environment)
  addRegularExpressions(environment)
  addTexts(environment)
  addLists(environment)
  addNetwork(environment)
  addQuantities(environment)
  addNamedFormats(environment)
  return environment
}

/** All functions, no variables. Cloned by every schema that has rules. */
export const ruleEnvironment: Environment = createEnvironment()
