/** CEL's `format` and `strings.quote`, and conversions that the library lacks. */

import type { Environment } from '@marcbachmann/cel-js'
import { goQuote } from '../go-format.ts'
import { format, printTime } from './format.ts'

const sync = { async: false }

/** Adds `format`, `strings.quote` and conversions. */
export function addTexts(environment: Environment): void {
  class StringsNamespace {}
  environment
    .registerType('StringsNamespace', StringsNamespace)
    .registerConstant('strings', 'StringsNamespace', new StringsNamespace())
    .registerFunction(
      'StringsNamespace.quote(string): string',
      (_namespace: unknown, text: string) => goQuote(text),
      sync,
    )
    .registerFunction('string.format(list<dyn>): string', format, sync)
    .registerFunction('string(google.protobuf.Timestamp): string', printTime, sync)
    .registerFunction('string(google.protobuf.Duration): string', String, sync)
    .registerFunction(
      'int(google.protobuf.Timestamp): int',
      (time: Date) => BigInt(Math.floor(time.getTime() / 1000)),
      sync,
    )
    .registerFunction('int(uint): int', BigInt, sync)
    .registerFunction('timestamp(google.protobuf.Timestamp): google.protobuf.Timestamp', (time: Date) => time, sync)
    .registerFunction('duration(google.protobuf.Duration): google.protobuf.Duration', (length: unknown) => length, sync)
}
