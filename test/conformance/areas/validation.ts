import { area } from '../case.ts'

export const validation = area('validation', {})
