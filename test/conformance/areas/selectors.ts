import { area } from '../case.ts'

export const selectors = area('selectors', {})
