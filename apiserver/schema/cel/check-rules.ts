/** What is wrong with the rules of a node beside their expressions. */

import { unsupportedValue } from '../../field-errors.ts'
import { goQuote } from '../go-format.ts'
import type { StructuralSchema, ValidationRule } from '../structural-schema.ts'
import { readFieldPath } from './compile-rule.ts'

/** Says what is wrong with a member, and whether it is missing, wrong or not allowed in the words of a field error. */
type Report = (member: string, message: string) => void

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

/** Reports what is wrong with the rules of a node: `[0].message` and why. */
export function checkRules(schema: StructuralSchema, report: Report): void {
  for (const [index, rule] of (schema['x-kubernetes-validations'] ?? []).entries()) {
    checkTexts(rule, (member, message) => report(`[${index}].${member}`, message))
    if (rule.reason !== undefined && !reasons.includes(rule.reason)) {
      report(`[${index}].reason`, unsupportedValue('', rule.reason, reasons).message)
    }
    if (!rule.fieldPath) continue
    if ('problem' in readFieldPath(rule.fieldPath, schema)) {
      report(`[${index}].fieldPath`, `Invalid value: ${goQuote(rule.fieldPath)}: must be a valid path`)
    }
  }
}

function checkTexts({ rule, message = '', messageExpression = '' }: ValidationRule, report: Report): void {
  if (rule.trim() === '') report('rule', 'Required value: rule is not specified')
  else if (message !== '' && message.trim() === '') {
    report('message', `Invalid value: ${goQuote(message)}: must be non-empty if specified`)
  } else if (hasLines(message)) {
    report('message', `Invalid value: ${goQuote(message)}: must not contain line breaks`)
  } else if (hasLines(rule) && message === '') {
    report('message', 'Required value: message must be specified if rule contains line breaks')
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    report('messageExpression', 'Required value: messageExpression must be non-empty if specified')
  }
}

function hasLines(text: string): boolean {
  return text.trim().includes('\n')
}
