import { area } from '../case.ts'

export const deletion = area('deletion', {})
